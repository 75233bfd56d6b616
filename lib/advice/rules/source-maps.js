'use strict';

const { formatPercent } = require('../../base/units');
const { callerIn } = require('../evidence');
const { placesText } = require('../words');

/** Source maps that are applied to the stacks of errors while the program runs. */

const OWN = /^node:internal\/source_map\//;
const PACKAGES = /\/node_modules\/(@cspotcode\/)?(source-map-support|source-map|source-map-js)\//;

/** @type {import('../rule').Rule} */
const SOURCE_MAPS = {
  id: 'source-maps',
  threshold: 0.05,
  condition:
    "of the time is spent in mapping errors' stacks to source files (`--enable-source-maps`, source-map-support)",
  advice:
    'Do not read error.stack where errors are expected, or lower Error.stackTraceLimit there; in production run without --enable-source-maps and map stacks when they are looked at.',
  find(evidence) {
    const { ns, samples, places } = evidence.tally((path) => {
      const isPreparing = path.some(({ functionName }) => /^prepareStackTrace/.test(functionName));
      const isMapping = path.some(({ url }) => OWN.test(url) || (isPreparing && PACKAGES.test(url)));
      return isMapping ? callerIn(path.filter(({ url }) => !PACKAGES.test(url))) : undefined;
    });
    return {
      ...{ ns, samples, frame: places[0]?.frame ?? null },
      text: (folder) => {
        const who = placesText(places, { all: evidence.ns, ns, folder });
        const what = `${formatPercent(ns, evidence.ns)} of the time is spent in applying source maps to the stacks of errors`;
        return who === '' ? what : `${what}, for ${who}`;
      },
    };
  },
};

module.exports = { rule: SOURCE_MAPS };
