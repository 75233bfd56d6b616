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
const session = require('../../lib/index').start({ timer: /** @type {any} */ (timer), intervalUs: Number(intervalUs) });
const begin = cpuOf();
let bursts = 0;
const clock = setInterval(async () => {
  parts.measure('workA', () => workA(Math.round(400_000 / nsPerRound)));
  parts.measure('workB', () => workB(Math.round(600_000 / nsPerRound)));
  if (++bursts < BURSTS) return;
  clearInterval(clock);
  const thread = cpuOf() - begin;
  const profile = await session.stop();
  const samples = Object.fromEntries(
    ['workA', 'workB'].map((name) => [name, profile.functions.find((each) => each.functionName === name)?.selfNs ?? 0]),
  );
  const top = profile.functions.slice(0, 5).map((each) => [each.functionName, Math.round(each.selfNs / 1e6)]);
  report({ thread, parts: parts.sums, samples, top });
}, 8);
