'use strict';

const v8Major = Number(process.versions.v8.split('.')[0]);
const noMaglev = v8Major >= 11 ? ['--no-maglev'] : [];

/**
 * Options that keep V8 in one tier; Node 24 (V8 13) is the first that is built with Maglev. Its loop peeling leaves calls in
 * a peeled loop with the place of the loop (docs/decisions/0008-places-in-stacks.md).
 * @type {[string, string[]][]}
 */
const TIERS = [
  ['interpreted', ['--no-opt', '--no-sparkplug', ...noMaglev]],
  ['baseline', ['--no-opt', '--always-sparkplug', ...noMaglev]],
  ['turbofan', noMaglev],
];
if (v8Major >= 13) TIERS.push(['maglev', ['--maglev', '--no-turbofan', '--no-maglev-loop-peeling']]);

module.exports = { TIERS };
