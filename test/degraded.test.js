'use strict';

/**
 * Builds of Node that lack what spprof reads: the program runs as it would, what is missing is said once, and what can
 * still be told is told.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { copyAlteredNode } = require('./helpers/altered-node');
const { selfTimes } = require('./helpers/read-cpuprofile');
const { runCli, temporaryFolder } = require('./helpers/run-cli');

const PROGRAM = path.join(__dirname, 'programs', 'busy.js');
const folder = temporaryFolder();
const node = path.join(folder, 'altered-node');

/** Runs the program with the altered Node. @returns what its functions have of the time, and what was said */
function record() {
  const run = runCli(['-o', 'busy.cpuprofile', '--', node, PROGRAM, '400', '7'], { cwd: folder });
  expect({ status: run.status, stdout: run.stdout }).toEqual({ status: 7, stdout: 'done\n' });
  const self = selfTimes(JSON.parse(fs.readFileSync(path.join(folder, 'busy.cpuprofile'), 'utf8')));
  self.delete('(idle)');
  const total = [...self.values()].reduce((sum, us) => sum + us, 0);
  const share = (/** @type {string[]} */ ...names) =>
    names.reduce((sum, name) => sum + (self.get(name) ?? 0), 0) / total;
  const notes = run.stderr.split('\n').filter((line) => line.startsWith('note'));
  return { share, notes, total };
}

/** @param {ReturnType<typeof record>} result @param {RegExp} why */
function expectNoNames({ share, notes, total }, why) {
  expect(total).toBeGreaterThan(200_000);
  expect(notes).toEqual([expect.stringMatching(why)]);
  expect(share('heavy', 'light')).toBe(0);
  expect(share('(js)')).toBeGreaterThan(0.7);
}

/** @param {ReturnType<typeof record>} result */
function expectNames({ share }) {
  expect(share('heavy')).toBeGreaterThan(0.5);
  expect(share('light')).toBeGreaterThan(0.1);
}

test('a Node without V8’s metadata', () => {
  copyAlteredNode(node, { hide: /^v8dbg_/ });
  expectNoNames(record(), /exports no V8 debugging metadata/);
});

test.each([['type_SharedFunctionInfo__'], ['class_JSFunction__shared__'], ['scopeinfo_idx_first_vars']])(
  'a Node whose metadata lacks %s',
  (name) => {
    copyAlteredNode(node, { hide: new RegExp(`^v8dbg_${name}`) });
    expectNoNames(record(), /lacks debugging metadata that is needed/);
  },
);

test('a Node with compressed pointers', () => {
  copyAlteredNode(node, { set: { v8dbg_TaggedSize: 4 } });
  expectNoNames(record(), /compressed pointers/);
});

test('a V8 of a version that is not known still has its functions', () => {
  copyAlteredNode(node, { hide: /^_ZN2v88internal7Version6(major|minor)_E$/ });
  const result = record();
  expectNames(result);
  expect(result.notes).toEqual([expect.stringMatching(/is not known to this version of spprof/)]);
});

test('a V8 that does not tell when it moves objects has its heap left alone', () => {
  copyAlteredNode(node, { hide: /^_ZN2v87Isolate(13TryGetCurrentEv|..AddGC)/ });
  expectNoNames(record(), /does not tell when it moves objects/);
});

test('a V8 without callbacks at collections has its functions, and its collections are seen', () => {
  copyAlteredNode(node, { hide: /^_ZN2v87Isolate..AddGC/ });
  const result = record();
  expectNames(result);
  expect(result.notes).toEqual([]);
});

test('a stripped Node has its functions, though its builtins have no names', () => {
  fs.copyFileSync(process.execPath, node);
  expect(spawnSync('strip', [node]).status).toBe(0);
  const result = record();
  expectNames(result);
  expect(result.notes).toEqual([]);
  expect(result.share('MathSqrt')).toBe(0);
});
