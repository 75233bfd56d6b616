'use strict';

const { callerIn, isProgram } = require('../evidence');
const { formatNs, formatPercent } = require('../../base/units');
const { placesText } = require('../words');

/** Finding, reading and compiling modules. What a module's own code does when it is loaded is not counted. */

const LOADER = /^node:internal\/modules\/(cjs|esm|helpers|package_json_reader|customization_hooks|typescript)/;
/** Less is never worth a change. */
const LEAST_NS = 100e6;

/** @param {import('../../../binding').NativeFrame[]} path leaf first */
function isLoading(path) {
  for (const frame of path) {
    if (LOADER.test(frame.url)) return true;
    if (isProgram(frame)) return false;
  }
  return false;
}

/** The line of the program that asked first, with all that came in its train; null: Node.js loads the program. @param {import('../../../binding').NativeFrame[]} path leaf first */
function whoLoads(path) {
  const rootFirst = [...path].reverse();
  const begin = rootFirst.findIndex(isProgram);
  const loader = rootFirst.findIndex(({ url }, at) => at > begin && LOADER.test(url));
  return begin < 0 ? null : callerIn(rootFirst.slice(0, loader).reverse());
}

/** @type {import('../rule').Rule} */
const LOADING = {
  id: 'loading',
  threshold: 0.1,
  condition: `of the time, and at least ${formatNs(LEAST_NS)}, is spent in finding, reading and compiling modules`,
  advice:
    'Load what is not always needed when it is first used; bundle the program into one file; keep compiled code between runs with module.enableCompileCache() (Node.js 22).',
  find(evidence) {
    const { ns, samples, places } = evidence.tally((path) => (isLoading(path) ? whoLoads(path) : undefined));
    if (ns < LEAST_NS) return null;
    return {
      ...{ ns, samples, frame: places[0]?.frame ?? null },
      text: (folder) => {
        const lines = placesText(places, { all: evidence.ns, ns, folder });
        const what = `${formatPercent(ns, evidence.ns)} of the time (${formatNs(ns)}) is spent in loading modules`;
        return lines === '' ? what : `${what}, for ${lines}`;
      },
    };
  },
};

module.exports = { rule: LOADING };
