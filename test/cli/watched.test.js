'use strict';

/**
 * Names, lines and inlined functions of a program that coverage counts or a debugger watches. Up to V8 11 its functions then
 * have something else where their script was (docs/decisions/0039-functions-that-are-watched.md).
 */

const path = require('node:path');
const { temporaryFolder } = require('../helpers/run-cli');
const { build } = require('../fixtures/native-addon/build');
const { cpuWhere, recordProgram } = require('../programs/truth/recorded');
const { TIERS } = require('../programs/truth/tiers');

build();

/** @typedef {import('../../binding').NativeFrame} Frame */

const COVERAGE = path.join(temporaryFolder(), 'coverage');
/** By what the program is watched, and whether it has break points. @type {[string, { env?: NodeJS.ProcessEnv, isStepped: boolean }][]} */
const WATCHES = [
  ['coverage', { env: { NODE_V8_COVERAGE: COVERAGE }, isStepped: false }],
  ['precise', { isStepped: false }],
  ['breakpoint', { isStepped: true }],
  ['remote', { isStepped: true }],
];

describe.each(WATCHES)('watched by %s', (watch, { env, isStepped }) => {
  test.each(TIERS)('%s: every function has its name, its line and its caller', async (tier, flags) => {
    const options = ['-r', '1000'];
    const { truth, recording } = await recordProgram('watched', { options, flags, args: [watch], env });
    const { lines, main } = truth;
    const own = (/** @type {Frame[]} */ stack) => stack.filter(({ url }) => url.endsWith('watched-calls.js'));
    const share = (/** @type {(stack: Frame[]) => boolean} */ isAsked, /** @type {number} */ of) =>
      cpuWhere(recording, main, isAsked) / of;
    const isInLeaf = (/** @type {Frame[]} */ stack) => own(stack)[0]?.functionName === 'leaf';
    const all = cpuWhere(recording, main);
    const inLeaf = cpuWhere(recording, main, isInLeaf);
    expect(inLeaf / all).toBeGreaterThan(0.3);
    expect(share((stack) => stack.some(({ functionName }) => functionName === '(js)'), all)).toBeLessThan(0.02);

    const isRight = (/** @type {Frame[]} */ stack) => {
      const [leaf, mid, outer] = own(stack);
      return (
        [mid?.functionName, mid?.sampledLine].join() === ['mid', lines.mid].join() &&
        [outer?.functionName, outer?.sampledLine].join() === ['outer', lines.outer].join() &&
        leaf.line === lines.leaf &&
        (leaf.sampledLine === 0 || (leaf.sampledLine >= lines.leaf && leaf.sampledLine < lines.leaf + 20))
      );
    };
    expect(share((stack) => isInLeaf(stack) && isRight(stack), inLeaf)).toBeGreaterThan(0.95);
    const isPlaced = (/** @type {Frame[]} */ stack) => isInLeaf(stack) && own(stack)[0].sampledLine > 0;
    expect(share(isPlaced, inLeaf)).toBeGreaterThan(0.8); // the rest has just entered leaf

    // What has a break point is interpreted, always.
    const leafTier = isStepped ? 'interpreted' : tier;
    expect(share((stack) => isInLeaf(stack) && own(stack)[0].tier === leafTier, inLeaf)).toBeGreaterThan(0.9);
    // Of the two calls; Maglev finds a leaf that counts its blocks too large for the other one.
    const isInlined = (/** @type {Frame[]} */ stack) => isInLeaf(stack) && own(stack)[1]?.inlined === true;
    const isOptimized = leafTier === 'turbofan' || leafTier === 'maglev';
    if (isOptimized) expect(share(isInlined, inLeaf)).toBeGreaterThan(0.9);
    else expect(share(isInlined, inLeaf)).toBe(0);
  });
});
