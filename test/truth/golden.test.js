'use strict';

/** The frames of each kind that a stack may have: their names, kinds, places and tiers, in the Node that runs the tests. */

const fs = require('node:fs');
const path = require('node:path');
const { atLeast } = require('../helpers/engine');
const { readRecording } = require('../helpers/read-recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');
const { recordedAnew } = require('../helpers/recorded-anew');

/** @typedef {import('../../binding').NativeFrame} Frame */

const PROGRAM = path.join(__dirname, '..', 'programs', 'golden.js');
const folder = temporaryFolder();
const v8Major = Number(process.versions.v8.split('.')[0]);
const noMaglev = v8Major >= 11 ? ['--no-maglev'] : [];
const INTERPRETED = ['--no-opt', '--no-sparkplug', ...noMaglev];

/** Line and column of a text in the program. @param {string} text */
function placeOf(text) {
  const before = fs.readFileSync(PROGRAM, 'utf8').split(text)[0].split('\n');
  return `${before.length}:${before[before.length - 1].length + 1}`;
}

/**
 * What lies between `burn` and the function of the kind, leaf first: `<kind> <name> [<end of its url>]`; a JavaScript
 * function without a url is the program's own.
 * @type {Record<string, string[]>}
 */
const GOLDEN = {
  plain: [],
  arrow: ['js arrow'],
  map: ['js callback', 'builtin ArrayMap'],
  forEach: ['js callback', 'builtin ArrayForEach'],
  sort: ['js compare', 'builtin ArrayTimSort', 'builtin ArrayPrototypeSort'],
  replace: ['js replacer', 'builtin StringPrototypeReplace'],
  construct: ['js Thing'],
  derived: ['js Thing', 'js Derived'],
  accessor: ['js get accessor'],
  setter: ['js set accessor'],
  method: ['js method'],
  hidden: ['js #hidden', 'js callHidden'],
  classMethod: ['js ofClass'],
  field: ['js field'],
  inferred: ['js holder.assigned'],
  bound: ['js bindable'],
  generator: ['js generator', 'builtin GeneratorPrototypeNext'],
  internal: ['js listener', 'js emit node:events'],
  eval: [
    `js evaluated eval at of_eval (golden.js:${placeOf("eval('(")})`,
    `js  eval at of_eval (golden.js:${placeOf("eval('(")})`,
  ],
  newFunction: [`js  eval at of_newFunction (golden.js:${placeOf("new Function('")})`],
  sourceUrl: ['js  templates/golden.js'],
  vm: [
    ...['js inVm /virtual/golden-vm.js', 'js  /virtual/golden-vm.js'],
    ...['js runInThisContext node:vm', 'js runInThisContext node:vm'],
  ],
  esm: ['js inModule /golden.mjs'],
  webassembly: ['js f', 'js golden (wasm)'],
};

/**
 * The stacks of the recorded program, with how many samples each has.
 * @param {string[]} flags
 * @param {string[]} args of the program
 */
async function record(flags, ...args) {
  const outputs = ['-q', '-r', '1000', '-o', 'golden.spprof', '-o', 'golden.cpuprofile'];
  const run = runCli([...outputs, '--', process.execPath, ...flags, PROGRAM, ...args], { cwd: folder });
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  const recording = await readRecording(path.join(folder, 'golden.spprof'));
  for (const file of fs.readdirSync(folder)) fs.rmSync(path.join(folder, file));
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const stack of recording.sampleStacks) counts.set(stack, (counts.get(stack) ?? 0) + 1);
  return [...counts].map(([stack, count]) => {
    const frames = [];
    for (let at = stack; at !== 0; at = recording.stackParents[at])
      frames.push(recording.frames[recording.stackFrames[at]]);
    return { frames, count };
  });
}

/** @typedef {Awaited<ReturnType<typeof record>>} Stacks */

/** @param {Stacks} stacks @param {(frames: Frame[]) => boolean} isAsked */
function samplesWhere(stacks, isAsked) {
  return stacks.reduce((sum, { frames, count }) => (isAsked(frames) ? sum + count : sum), 0);
}

/** As in GOLDEN. @param {Frame} frame */
function describeFrame({ kind, functionName, url }) {
  if (url.startsWith('wasm:')) return `${kind} ${functionName} (wasm)`;
  if (url.startsWith('eval at') || url.startsWith('templates/'))
    return `${kind} ${functionName} ${url.replace(/\((file:\/\/)?\/.*\//, '(')}`;
  if (kind !== 'js' || url === `file://${PROGRAM}` || url === PROGRAM) return `${kind} ${functionName}`;
  const end = ['node:', '/virtual/'].some((start) => url.startsWith(start)) ? url : url.slice(url.lastIndexOf('/'));
  return `${kind} ${functionName} ${url === '' ? '(none)' : end}`;
}

/** The function object of an export, which has the index as its name (and a frame from V8 12 on). @param {Frame} frame */
const isExport = ({ functionName, url }) => url.startsWith('wasm:') && /^\d+$/.test(functionName);

/** From the function that called `burn` to that of the kind. @param {Frame[]} frames @param {string} root */
function between(frames, root) {
  const names = frames.map(({ functionName }) => functionName);
  return frames.slice(names.indexOf('burn') + 1, names.indexOf(root));
}

/** @param {Stacks} stacks @param {string} root */
const below = (stacks, root) =>
  stacks.filter(({ frames }) => ['burn', root].every((name) => frames.some((frame) => frame.functionName === name)));

describe('in the interpreter', () => {
  const stacks = recordedAnew(() => record(INTERPRETED, '60'));

  test.each(Object.entries(GOLDEN))('%s', (kind, golden) => {
    const own = below(stacks(), `of_${kind}`);
    const all = samplesWhere(own, () => true);
    expect(all).toBeGreaterThan(atLeast(10));
    // What V8 needs to get from one to the other is its own affair, and that of its version.
    const seen = own.map(({ frames, count }) => ({
      count,
      frames: between(frames, `of_${kind}`)
        .filter((frame) => frame.kind === 'js' && !isExport(frame))
        .map(describeFrame),
    }));
    const expected = golden.filter((text) => text.startsWith('js'));
    const wrong = seen.filter(({ frames }) => frames.join() !== expected.join());
    expect(wrong.reduce((sum, { count }) => sum + count, 0) / all).toBeLessThan(0.05);
    const others = golden.filter((text) => !text.startsWith('js'));
    const withOthers = samplesWhere(own, (frames) => {
      const texts = between(frames, `of_${kind}`).map(describeFrame);
      return others.every((text) => texts.includes(text));
    });
    expect(withOthers / all).toBeGreaterThan(0.95);
  });

  test('an async function, after it has waited', () => {
    const own = below(stacks(), 'afterAwait');
    expect(samplesWhere(own, () => true)).toBeGreaterThan(atLeast(10));
    for (const { frames } of own) expect(between(frames, 'afterAwait').filter(({ kind }) => kind === 'js')).toEqual([]);
  });

  test('a regular expression', () => {
    const isRegExp = (/** @type {Frame[]} */ [leaf]) => leaf.functionName === '(regexp)';
    const compiled = samplesWhere(stacks(), isRegExp);
    expect(compiled).toBeGreaterThan(atLeast(10));
    const called = samplesWhere(
      stacks(),
      (frames) => isRegExp(frames) && frames.find(({ url }) => url !== '')?.functionName === 'of_regexp',
    );
    expect(called / compiled).toBeGreaterThan(0.95);
  });

  test('each function is interpreted', () => {
    const tiers = new Set(
      stacks()
        .flatMap(({ frames }) => frames)
        .flatMap(({ url, tier }) => (url.endsWith('.js') ? tier : [])),
    );
    expect([...tiers]).toEqual(['interpreted']);
  });
});

test('Sparkplug’s code', async () => {
  const stacks = below(await record(['--no-opt', '--always-sparkplug', ...noMaglev], '60', 'map', 'hidden'), 'burn');
  const own = stacks.filter(({ frames }) => frames.some(({ functionName }) => /^of_/.test(functionName)));
  expect(samplesWhere(own, () => true)).toBeGreaterThan(20);
  const isBaseline = (/** @type {Frame} */ { url, tier }) => !url.endsWith('golden.js') || tier === 'baseline';
  expect(samplesWhere(own, (frames) => frames.every(isBaseline)) / samplesWhere(own, () => true)).toBeGreaterThan(0.95);
});

/** @type {[string, string[]][]} */
const REPLACED = [['turbofan', noMaglev]];
if (v8Major >= 13) REPLACED.push(['maglev', ['--maglev', '--no-turbofan']]);
test.each(REPLACED)('a loop that V8 replaces while it runs, by %s code', async (tier, flags) => {
  const stacks = below(await record(flags, '400', 'plain'), 'of_plain');
  const all = samplesWhere(stacks, () => true);
  const replaced = samplesWhere(
    stacks,
    (frames) => frames.find(({ functionName }) => functionName === 'burn')?.tier === tier,
  );
  expect(replaced / all).toBeGreaterThan(0.5);
  const placed = samplesWhere(stacks, (frames) => between(frames, 'of_plain').every(({ kind }) => kind !== 'js'));
  expect(placed).toBe(all);
});

test('WebAssembly that traps: what it lands in is called by its function', async () => {
  const { programOf } = require('../harm/antagonists/list');
  const run = runCli(['-q', '-r', '2000', '-o', 'traps.spprof', '--', process.execPath, programOf('wasm'), '4', '7'], {
    cwd: folder,
  });
  expect(run.status).toBe(47);
  const recording = await readRecording(path.join(folder, 'traps.spprof'));
  const INCOMPLETE = 4;
  const landed = { all: 0, complete: 0 };
  recording.sampleStacks.forEach((/** @type {number} */ stack, /** @type {number} */ i) => {
    const [leaf, caller] = [stack, recording.stackParents[stack]].map(
      (at) => recording.frames[recording.stackFrames[at]],
    );
    if (!leaf?.functionName.startsWith('WasmTrapHandler')) return;
    landed.all++;
    if ((recording.sampleStates[i] & INCOMPLETE) === 0 && caller.functionName === 'wasm-function[1]') landed.complete++;
  });
  // Up to V8 11 each function has a place of its own to land in.
  if (v8Major < 12) return expect(landed.all).toBe(0);
  expect(landed.all).toBeGreaterThan(atLeast(10)); // some 28: the trap itself is in the kernel, where no event comes
  expect(landed.complete / landed.all).toBeGreaterThan(0.95);
});
