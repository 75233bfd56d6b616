'use strict';

/**
 * Builds of Node that lack what spprof reads: the program runs as it would, what is missing is said once, and what can
 * still be told is told.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { copyAlteredNode } = require('../helpers/altered-node');
const { selfTimes } = require('../helpers/read-cpuprofile');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const PROGRAM = path.join(__dirname, '..', 'programs', 'busy.js');
const INLINED = path.join(__dirname, '..', 'programs', 'truth', 'inlined.js');
const v8Version = process.versions.v8.split('.').slice(0, 2).join('.');
const folder = temporaryFolder();
const node = path.join(folder, 'altered-node');

/** @param {string} stderr */
const notesIn = (stderr) => stderr.split('\n').filter((line) => line.startsWith('note'));

/** Runs the program with the altered Node. @returns what its functions have of the time, and what was said */
function record() {
  const run = runCli(['-o', 'busy.cpuprofile', '--', node, PROGRAM, '400', '7'], { cwd: folder });
  expect({ status: run.status, stdout: run.stdout }).toEqual({ status: 7, stdout: 'done\n' });
  const self = selfTimes(JSON.parse(fs.readFileSync(path.join(folder, 'busy.cpuprofile'), 'utf8')));
  self.delete('(idle)');
  const total = [...self.values()].reduce((sum, us) => sum + us, 0);
  const share = (/** @type {string[]} */ ...names) =>
    names.reduce((sum, name) => sum + (self.get(name) ?? 0), 0) / total;
  return { share, notes: notesIn(run.stderr), total };
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

/** Functions and lines of a program whose hot function is inlined twice. @param {string[]} flags */
function recordInlined(...flags) {
  const run = runCli(['-r', '1000', '-o', 'inlined.cpuprofile', '--', node, ...flags, INLINED], { cwd: folder });
  expect(run.status).toBe(0);
  const self = selfTimes(JSON.parse(fs.readFileSync(path.join(folder, 'inlined.cpuprofile'), 'utf8')));
  const [leaf, mid, outer] = ['leaf', 'mid', 'outer'].map((name) => self.get(name) ?? 0);
  const lineShare = Number(/^lines +known of ([\d.]+) %/m.exec(run.stderr)?.[1]) / 100;
  return { leafShare: leaf / (leaf + mid + outer), lineShare, notes: notesIn(run.stderr) };
}

describe('a V8 of a version that is not known', () => {
  const UNKNOWN = { hide: /^_ZN2v88internal7Version6(major|minor)_E$/ };
  /** V8 11.3 (Node 20) does not announce all that is read of compiled code. */
  const isSilent = v8Version === '11.3';

  test('its functions', () => {
    copyAlteredNode(node, UNKNOWN);
    const result = record();
    expectNames(result);
    expect(result.notes).toEqual([expect.stringMatching(/is not known to this version of spprof/)]);
  });

  test('what it inlines, and the lines, are read as it describes itself', () => {
    copyAlteredNode(node, UNKNOWN);
    const { leafShare, lineShare, notes } = recordInlined();
    expect(notes).toHaveLength(1);
    if (isSilent) {
      expect(notes[0]).toMatch(
        /is not known to this version of spprof: compiled functions have no lines, and what was inlined counts as its caller/,
      );
      expect(leafShare).toBeLessThan(0.2);
    } else {
      expect(notes[0]).toMatch(/is not known .* as it describes itself, which has not been tested/);
      expect(leafShare).toBeGreaterThan(0.9);
      expect(lineShare).toBeGreaterThan(0.9);
    }
  });

  test('lines in Sparkplug’s code, as long as it can be told how long bytecodes are', () => {
    copyAlteredNode(node, UNKNOWN);
    const sparkplug = ['--no-opt', '--sparkplug', ...(Number(v8Version.split('.')[0]) >= 11 ? ['--no-maglev'] : [])];
    const { lineShare } = recordInlined(...sparkplug);
    if (isSilent) expect(lineShare).toBeLessThan(0.2);
    else expect(lineShare).toBeGreaterThan(0.9);
    // Stripped of what debuggers read, V8 from 13 on keeps it to itself.
    expect(spawnSync('strip', [node]).status).toBe(0);
    const stripped = recordInlined(...sparkplug);
    if (Number(v8Version.split('.')[0]) < 13) {
      if (!isSilent) expect(stripped.lineShare).toBeGreaterThan(0.9);
      return;
    }
    expect(stripped.lineShare).toBeLessThan(0.2);
    expect(stripped.notes).toEqual([expect.stringMatching(/samples in Sparkplug's code have no lines/)]);
  });
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
