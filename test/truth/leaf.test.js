'use strict';

/**
 * Walks at each instruction of JavaScript calls, of builtins and of V8 itself, each held against the calls that were
 * really made (test/fixtures/stepper, test/programs/stepped.js).
 */

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { buildStepper } = require('../fixtures/stepper/build');
const { cleanEnvironment } = require('../helpers/run-cli');

const PROGRAM = path.join(__dirname, '..', 'programs', 'stepped.js');
const KINDS = [
  ...['calls', 'arguments', 'arrays', 'objects', 'indirect', 'throws', 'generators', 'promises', 'strings'],
  'webassembly',
];

const v8Major = Number(process.versions.v8.split('.')[0]);
const noMaglev = v8Major >= 11 ? ['--no-maglev'] : [];
/** Options that keep V8 in one tier, and how often a function has to run to get there. @type {[string, string[], number][]} */
const TIERS = [
  ['interpreted', ['--no-opt', '--no-sparkplug', ...noMaglev], 3],
  ['baseline', ['--no-opt', '--always-sparkplug', ...noMaglev], 3],
  ['optimized', [], 20_000],
];

/** @type {string} */
let stepper;
beforeAll(() => {
  stepper = buildStepper();
}, 300_000);

/**
 * @param {string[]} flags
 * @param {number} turns
 * @param {string[]} kinds
 * @returns {Record<string, any>} by kind
 */
function step(flags, turns, kinds) {
  const args = [...flags, PROGRAM, stepper, String(turns), ...kinds];
  const run = spawnSync(process.execPath, args, { env: cleanEnvironment(), encoding: 'utf8', timeout: 50_000 });
  if (run.status !== 0) throw new Error(`${args.join(' ')}: ${run.status} ${run.signal}\n${run.stderr}`);
  return JSON.parse(run.stdout);
}

/** Whether each function is called by whom its name says. @param {string[]} names leaf first */
function isOrdered(names) {
  const own = names.filter((name) => name.startsWith('run'));
  return own.every((name, i) => name === 'run' || own[i + 1] === name.slice(0, name.lastIndexOf('_')));
}

/**
 * @param {Record<string, any>} results
 * @param {number} maxIncomplete share of stacks that may be marked as incomplete
 */
function expectRight(results, maxIncomplete = 0.01) {
  for (const [kind, { steps, wrong, wrongCount, incomplete, incompleteAt, lost, chains }] of Object.entries(results)) {
    expect({ kind, wrongCount, wrong, lost }).toEqual({ kind, wrongCount: 0, wrong: [], lost: 0 });
    if (incomplete / steps > maxIncomplete) throw new Error(`${kind}: ${incomplete} of ${steps}, at ${incompleteAt}`);
    const disordered = chains.filter((/** @type {any} */ { names }) => !isOrdered(names));
    expect({ kind, disordered }).toEqual({ kind, disordered: [] });
  }
}

describe.each(TIERS)('%s', (_tier, flags, turns) => {
  test('no stack has a wrong caller, at any instruction', () => {
    const { arrays, ...others } = step(flags, turns, KINDS);
    expectRight(others);
    expectRight({ arrays }, 0.1); // the loops of Array.prototype.sort end too far away
    const leaves = others.calls.chains.map((/** @type {any} */ { names }) => names[0]);
    expect(leaves).toEqual(expect.arrayContaining(['run', 'run_first', 'run_first_second']));
    expect(others.calls.steps).toBeGreaterThan(500);
  });
});

test('optimized WebAssembly, which may begin without making a frame', () => {
  const results = step(['--no-liftoff'], 20_000, ['webassembly']);
  expectRight(results);
  const leaves = results.webassembly.chains.map((/** @type {any} */ { names }) => names[0]);
  expect(leaves).toEqual(expect.arrayContaining(['run_wasm', 'run_wasm_imported']));
});

test('no stack has a wrong caller while a collection begins and moves objects', () => {
  const results = step(['--expose-gc', '--single-threaded-gc'], 1, ['collections']);
  expectRight(results);
  expect(results.collections.steps).toBeGreaterThan(20_000);
});
