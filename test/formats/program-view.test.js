'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { displayName } = require('../../lib/recording/frames');
const { summarizeFunctions, totalWeight } = require('../../lib/recording/model');
const { categoriesOf } = require('../../lib/views/categories');
const { apportion } = require('../../lib/base/apportion');
const { programView } = require('../../lib/views/program-view');
const { random: randomOf } = require('../helpers/recording');

/** The program view of real stacks, recorded on five versions of Node.js (`fixtures/views/make.js`). */

const FOLDER = path.join(__dirname, '..', 'fixtures', 'views');
const KINDS = ['main', 'worker', 'native'];

/** @param {number} major */
function readFixture(major) {
  return JSON.parse(fs.readFileSync(path.join(FOLDER, `node-${major}.json`), 'utf8'));
}

/** A recording with the stacks of a case, or of all. */
function recordingOf(fixture, wanted) {
  const stacks = fixture.stacks.filter(([name]) => wanted === undefined || name === wanted);
  const counts = stacks.flatMap((stack) => Array.from({ length: stack[3] }, () => stack));
  const ns = Float64Array.from(counts, (_, i) => 1e6 + i);
  return {
    ...{
      pid: 1,
      nodeVersion: fixture.nodeVersion,
      execPath: '/usr/bin/node',
      mode: 'cpu',
      intervalNs: 1e6,
      durationNs: 1e9,
    },
    threads: KINDS.map((kind, id) => ({ id, kind, name: kind, tid: id + 1 })),
    frames: fixture.frames.map(([kind, functionName, url, module]) => ({
      ...{ kind, functionName, url, module, scriptId: 0, line: 0, column: 0, sampledLine: 0, sampledColumn: 0 },
      ...{ tier: '', inlined: false, startOffset: -1, sourceLength: 0 },
    })),
    stackParents: Uint32Array.from([0, ...fixture.nodes.map(([parent]) => parent)]),
    stackFrames: Uint32Array.from([0, ...fixture.nodes.map(([, frame]) => frame)]),
    sampleThreads: Uint32Array.from(counts, ([, kind]) => KINDS.indexOf(kind)),
    sampleStates: Uint8Array.from(counts, ([, , isGc]) => (isGc ? 1 : 0)),
    sampleStacks: Uint32Array.from(counts, ([, , , , node]) => node),
    ...{ sampleTimes: ns.map((_, i) => i * 1e6), sampleCpuNs: ns, sampleWallNs: ns, blocks: [] },
    sampleBlocks: new Uint32Array(counts.length),
  };
}

/** Frames of sample `i`, root first. */
function stackOf(recording, i) {
  const stack = [];
  for (let node = recording.sampleStacks[i]; node !== 0; node = recording.stackParents[node]) {
    stack.push(recording.frames[recording.stackFrames[node]]);
  }
  return stack.reverse();
}

/** Stacks in words, with their samples. */
function wordsOf(recording) {
  const words = new Map();
  for (let i = 0; i < recording.sampleStacks.length; i++) {
    const gc = recording.sampleStates[i] & 1 ? ' > (garbage collector)' : '';
    const text = stackOf(recording, i).map(displayName).join(' > ') + gc;
    words.set(text, (words.get(text) ?? 0) + 1);
  }
  return words;
}

const isJs = ({ kind, functionName }) => (kind === 'js' || kind === 'unknown-js') && functionName !== '(regexp)';
const RUNTIME = /^(v8|node|cppgc|std|v8impl)::|^uv_|^_start$|^__libc_start|^(JSEntry|CEntry|LoadIC|Builtin_)|\+0x/;

/** What must be among a case's stacks: why it ran, and what it ran in. @type {[string, RegExp, (major: number) => boolean][]} */
const EXPECTED = [
  ['main', /^\(main script\) > .*> burn$/],
  ['esm', /^\(main script\) > \(anonymous\) > burn$/],
  ['dashe', /^\(main script\) > \(anonymous\) > f$/],
  ['timers', /^\(timers\) > again > burn$/],
  ['immediates', /^\(immediates\) > again > burn$/],
  ['microtasks', /^\(microtasks\) > microtasks > burn$/],
  ['tla', /^\(microtasks\) > \(anonymous\) > burn$/],
  ['nextTick', /^\(microtasks\) > again > burn$/],
  ['http', /^\(I\/O\) > /],
  ['fsCallbacks', /^\(I\/O\) > .*> burn$/],
  ['fsSync', /^\(main script\) > .*> readSync > read$/],
  ['worker', /^\(worker script\) > \(anonymous\) > inWorker$/],
  ['worker', /^\(timers\) > \(anonymous\) > inWorker$/],
  ['pbkdf2', /^\(libuv pool\) > (PKCS5_PBKDF2_HMAC|kdf_pbkdf2_derive)$/],
  ['pbkdf2Sync', /> pbkdf2Sync > (PKCS5_PBKDF2_HMAC|kdf_pbkdf2_derive)$/],
  ['hash', /> update > (EVP_DigestUpdate|SHA256_Update|sha256_\w+)$/],
  ['zlibAsync', /^\(libuv pool\) > (Cr_z_)?deflate$/],
  ['zlibSync', /> processChunkSync > (Cr_z_)?deflate$/],
  ['brotliSync', /> processChunkSync > BrotliEncoderCompressStream$/],
  ['dns', /^\(libuv pool\) > getaddrinfo/],
  ['gc', /^\(main script\) > .*> \(garbage collector\)$/],
  ['gc', /^\(V8 helper\) > \(garbage collector\)$/],
  ['json', /^\(main script\) > .*> json$/],
  ['regexp', /^\(main script\) > .*> regexp$/],
  ['megamorphic', /^\(main script\) > .*> read$|> megamorphic$/],
  ['compile', /> \(parsing\)$/],
  ['compile', /> \(compilation\)$/],
  ['sqlite', /> sqlite3_step$/, (major) => major >= 22],
];

describe.each([18, 20, 22, 24, 26])('stacks of Node %i in program view', (major) => {
  const fixture = readFixture(major);
  const full = recordingOf(fixture);
  const program = programView(full);

  test('every sample keeps its weight, and the sum is the same', () => {
    expect(program.sampleCpuNs).toEqual(full.sampleCpuNs);
    expect(totalWeight(program)).toBe(totalWeight(full));
    const self = (recording) => summarizeFunctions(recording).reduce((sum, { selfNs }) => sum + selfNs, 0);
    expect(self(program)).toBe(self(full));
  });

  test('no function of the runtime is left', () => {
    const left = program.frames.filter(({ functionName }) => RUNTIME.test(functionName)).map(displayName);
    expect(left).toEqual([]);
    expect(program.frames.filter(({ kind }) => kind === 'builtin')).toEqual([]);
  });

  test('JavaScript stays in its order, except what only starts the program', () => {
    for (let i = 0; i < full.sampleStacks.length; i++) {
      const before = stackOf(full, i).filter(isJs);
      const after = stackOf(program, i).filter(isJs);
      const gone = before.slice(0, before.length - after.length);
      expect(after.map(displayName)).toEqual(before.slice(gone.length).map(displayName));
      expect(gone.filter(({ url }) => !url.startsWith('node:') && !url.endsWith('-wrapper'))).toEqual([]);
    }
  });

  test('a stack begins with why it ran', () => {
    const roots = [...wordsOf(program).keys()].map((words) => words.split(' > ')[0]);
    const reasons =
      /^\((main script|worker script|timers|microtasks|I\/O|immediates|libuv pool|V8 helper|native thread)\)$/;
    expect([...new Set(roots)].filter((root) => !reasons.test(root))).toEqual([]);
  });

  const cases = EXPECTED.filter(([, , holds]) => holds === undefined || holds(major));
  test.each(cases)('%s has %s', (name, pattern) => {
    const words = [...wordsOf(programView(recordingOf(fixture, name))).keys()];
    expect(words).toContainEqual(expect.stringMatching(pattern));
  });

  test('categories add up to all time, and to 100 %', () => {
    const categories = categoriesOf(program);
    expect(categories.reduce((sum, { ns }) => sum + ns, 0)).toBeCloseTo(totalWeight(full), 0);
    expect(categories.reduce((sum, { percent }) => sum + Math.round(percent * 10), 0)).toBe(1000);
    expect(categories.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['your code', 'Node.js', 'native', 'garbage collection', 'compilation']),
    );
    for (const { percent, parts } of categories) {
      const sum = parts.reduce((all, part) => all + Math.round(part.percent * 10), 0);
      expect(sum).toBeLessThanOrEqual(Math.round(percent * 10));
    }
  });
});

const SEED = 20261130;

test(`parts of a hundred add up, whatever the values (seed ${SEED})`, () => {
  const random = randomOf(SEED);
  for (let round = 0; round < 1000; round++) {
    const values = Array.from({ length: 1 + Math.floor(random() * 9) }, () => random() ** 4 * 1e12);
    const parts = apportion(values, 1000);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(1000);
    const all = values.reduce((sum, value) => sum + value, 0);
    for (const [i, part] of parts.entries()) expect(Math.abs(part - (values[i] / all) * 1000)).toBeLessThan(1);
  }
  expect(apportion([0, 0], 1000)).toEqual([0, 0]);
});
