'use strict';

const { formatPercent } = require('../../base/units');
const { isProgram } = require('../evidence');
const { placesText } = require('../words');

/** Synchronous calls of fs, crypto, zlib and child_process from the event loop of the main thread, which serves nothing meanwhile. */

const MODULES = /^node:(internal\/)?(fs|zlib|crypto|child_process)(\/|$)/;
const LOADER = /^node:internal\/modules\//;
const SYNCHRONOUS = /Sync$|^(zlibBufferSync|processChunkSync|syncBufferWrapper)$/;
/** Why a thread runs once it serves; before that, no client waits for it. */
const SERVING = ['(timers)', '(immediates)', '(I/O)', '(microtasks)'];

/**
 * @param {import('../../../binding').NativeFrame[]} path leaf first, in program view
 * @returns {{ name: string, caller: import('../../../binding').NativeFrame } | null}
 */
function findCall(path) {
  const first = path.findIndex(isProgram);
  if (first < 0 || !path.some(({ kind, functionName }) => kind === 'reason' && SERVING.includes(functionName))) {
    return null;
  }
  // The outermost one is the one that the program called.
  const calls = path.slice(0, first);
  if (calls.some(({ url }) => LOADER.test(url))) return null;
  const call = calls.reverse().find(({ url, functionName }) => MODULES.test(url) && SYNCHRONOUS.test(functionName));
  if (call === undefined) return null;
  return {
    name: `${call.url.replace(/^node:(internal\/)?/, '').split('/')[0]}.${call.functionName}`,
    caller: path[first],
  };
}

/** @type {import('../rule').Rule} */
const BLOCKING_CALLS = {
  id: 'blocking',
  threshold: 0.05,
  condition:
    "of the time is spent in synchronous calls of `fs`, `crypto`, `zlib` and `child_process` on the main thread, from timers, I/O, immediates or microtasks (not while the program's main script runs)",
  advice:
    'The event loop serves nothing meanwhile. Use the form that takes a callback or gives a promise, or a worker.',
  find(evidence) {
    const { program, ns: all } = evidence;
    const main = new Set(program.recording.threads.filter(({ kind }) => kind === 'main').map(({ id }) => id));
    /** @type {Map<string, number>} */
    const names = new Map();
    const { ns, samples, places } = program.tally((path, { thread, cpuNs }) => {
      const call = main.has(thread) ? findCall(path) : null;
      if (call === null) return undefined;
      names.set(call.name, (names.get(call.name) ?? 0) + cpuNs);
      return call.caller;
    });
    const [name] = [...names].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? [''];
    return {
      ...{ ns, samples, frame: places[0]?.frame ?? null },
      text: (folder) =>
        `${formatPercent(ns, all)} of the time the event loop waits for synchronous calls (${name}${names.size > 1 ? ', …' : ''}), by ${placesText(places, { all, ns, folder })}`,
    };
  },
};

module.exports = { rule: BLOCKING_CALLS };
