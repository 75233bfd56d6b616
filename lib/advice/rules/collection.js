'use strict';

const { formatPercent } = require('../../base/units');
const { callerIn } = require('../evidence');
const { placesText } = require('../words');

/** Garbage collection, on the threads that need memory and on V8's helpers, and whose allocations set it off. */

/** @type {import('../rule').Rule} */
const COLLECTION = {
  id: 'collection',
  threshold: 0.15,
  condition: 'of the time is spent in garbage collection, on all threads',
  advice:
    'Allocate less there: reuse objects and buffers, avoid copies ({ ...o }, slice, concat, map on large arrays), and keep large data out of objects. If much survives for a short while, a larger young generation helps: --max-semi-space-size.',
  find(evidence) {
    const isCollecting = (/** @type {import('../../../binding').NativeFrame[]} */ path) => {
      const end = evidence.endOfEngine(path);
      return path.slice(0, end).some((frame) => frame.kind === 'gc' || evidence.roles.get(frame)?.work === 'gc');
    };
    const { ns, samples, places } = evidence.tally((path, { isGc }) =>
      isGc || isCollecting(path) ? callerIn(path) : undefined,
    );
    return {
      ...{ ns, samples, frame: places[0]?.frame ?? null },
      text: (folder) => {
        const who = placesText(places, { all: evidence.ns, ns, folder });
        const what = `${formatPercent(ns, evidence.ns)} of the time is spent in garbage collection`;
        return who === '' ? what : `${what}; it interrupts the allocations of ${who}`;
      },
    };
  },
};

module.exports = { rule: COLLECTION };
