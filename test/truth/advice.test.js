'use strict';

/**
 * Each rule of the advice on a program that is made for it, and on one that does the like without being worth a word. By construction a
 * program that sets a rule off spends more than a third of its time as the rule says, and the other less than a hundredth. A share that is
 * estimated from 900 samples is off by at most 4 * sqrt(0.3 * 0.7 / 900) = 0.06 (one of 16,000 right runs is beyond), and thresholds
 * are at most 0.15.
 */

const fs = require('node:fs');
const path = require('node:path');
const spprof = require('../../lib/index');
const { RULES } = require('../../lib/advice/rules');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const PROGRAM = path.join(__dirname, '..', 'programs', 'advice', 'findings.js');
const LINES = fs.readFileSync(PROGRAM, 'utf8').split('\n');
const folder = temporaryFolder();

/** Number of the line with a text. @param {string} text */
function lineWith(text) {
  return LINES.findIndex((line) => line.includes(text)) + 1;
}

/**
 * What is special about a rule's programs. `at`: the function, and the text of its line, that the finding must name.
 * @type {Record<string, { at?: { functionName: string, text?: string, file?: RegExp }, flags?: string[], threads?: string, node?: string[], cpuMs?: number }>}
 */
const CASES = {
  json: { at: { functionName: 'copyByText', text: 'JSON.parse(JSON.stringify(rows))' } },
  megamorphic: { at: { functionName: 'sumValues', text: 'sum += object.value' } },
  // Each turn is one event, of which a sampler sees a few in a hundred.
  deoptimization: { at: { functionName: 'countTo' }, cpuMs: 2500 },
  collection: { at: { functionName: 'allocateRows' } },
  blocking: { at: { functionName: '(anonymous)', text: 'crypto.pbkdf2Sync(' } },
  // On a machine with few cores only wall time says that a thread of the pool has work.
  pool: { flags: ['-m', 'wall'], threads: '2' },
  loading: { at: { functionName: 'requireManyModules', text: 'require(file)' } },
  regexp: { at: { functionName: 'matchSlowly', text: '.test(slowText)' } },
  'source-maps': { at: { functionName: 'throwAndLook', file: /original\.ts$/ }, node: ['--enable-source-maps'] },
};

/** @param {string} rule @param {'hot' | 'clean'} kind */
function record(rule, kind) {
  const { flags = [], threads = '4', node = [], cpuMs = 1000 } = CASES[rule];
  const log = path.join(folder, `${rule}-${kind}.spprof`);
  const command = [process.execPath, ...(kind === 'hot' ? node : []), PROGRAM, rule, kind, String(cpuMs)];
  const env = { ...cleanEnvironment(), UV_THREADPOOL_SIZE: threads, TMPDIR: folder };
  const { status, stderr } = runCli(['-q', '-r', '1000', ...flags, '-o', log, ...command], { cwd: folder, env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return spprof.readProfile(log);
}

test('each rule has its programs', () => {
  expect(Object.keys(CASES)).toEqual(RULES.map(({ id }) => id));
});

test.each(Object.keys(CASES))(
  '%s: found, with its place',
  async (rule) => {
    const profile = await record(rule, 'hot');
    const [first, ...others] = profile.advice();
    expect(first?.rule).toBe(rule);
    // Whatever else is said is true as well: copies of text are garbage soon.
    expect(others.map((finding) => finding.rule).filter((id) => id !== 'collection')).toEqual([]);
    const { at } = CASES[rule];
    if (at === undefined) expect(first.where).toBeNull();
    else {
      expect(first.where?.functionName).toBe(at.functionName);
      if (at.text !== undefined) expect(first.where?.line).toBe(lineWith(at.text));
      if (at.file !== undefined) expect(first.where?.url).toMatch(at.file);
    }
    expect(profile.toText()).toContain(`advice   ${first.found}`);
  },
  60_000,
);

test.each(Object.keys(CASES))(
  '%s: not found where it is not worth a word',
  async (rule) => {
    const profile = await record(rule, 'clean');
    expect(profile.sampleCount).toBeGreaterThan(100);
    expect(profile.advice()).toEqual([]);
  },
  60_000,
);
