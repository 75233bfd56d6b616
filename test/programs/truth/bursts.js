'use strict';

/**
 * Work that timers set off: two functions with two fifths and three fifths of it, in bursts shorter than the interval between
 * samples, with sleep between. `bursts.js <timer> <interval in µs>` prints the clock's CPU time of each, and the samples'.
 */

const { cpuOf, Parts, report } = require('./measure');

const [timer, intervalUs] = process.argv.slice(2);
const BURSTS = 600;
const parts = new Parts();

/** @param {number} rounds */
function workA(rounds) {
  let s = 1;
  for (let i = 0; i < rounds; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return s;
}

/** @param {number} rounds */
function workB(rounds) {
  let s = 2;
  for (let i = 0; i < rounds; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return s;
}

/** CPU time of a round once compiled, ns. */
function calibrate() {
  for (let i = 0; i < 20; i++) workA(1e5) + workB(1e5);
  const begin = cpuOf();
  workA(1e7);
  return (cpuOf() - begin) / 1e7;
}

const nsPerRound = calibrate();
const session = require('../../../lib/index').start({
  timer: /** @type {any} */ (timer),
  intervalUs: Number(intervalUs),
});
const begin = cpuOf();
let bursts = 0;
// Functions of their own, so that it does not matter which instructions of inlined code V8 (Maglev) tells the place of.
const burstA = () => workA(Math.round(400_000 / nsPerRound));
const burstB = () => workB(Math.round(600_000 / nsPerRound));
const clock = setInterval(async () => {
  parts.measure('workA', burstA);
  parts.measure('workB', burstB);
  if (++bursts < BURSTS) return;
  clearInterval(clock);
  const thread = cpuOf() - begin;
  const profile = await session.stop();
  const totalOf = (/** @type {string} */ name) =>
    profile.functions.find(({ functionName }) => functionName === name)?.totalNs ?? 0;
  const samples = { workA: totalOf('burstA'), workB: totalOf('burstB') };
  const top = profile.functions.slice(0, 5).map((each) => [each.functionName, Math.round(each.selfNs / 1e6)]);
  report({ thread, parts: parts.sums, samples, top });
}, 8);
