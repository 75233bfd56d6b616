'use strict';

/** Ground truth of sampled lines and of inlined functions, in each of V8's tiers that this Node has. */

const { build } = require('../fixtures/native-addon/build');
const { cpuWhere, recordProgram } = require('../programs/truth/recorded');
const { TIERS } = require('../programs/truth/tiers');

// Shares are estimates, and the core is not ours alone: a measurement that is off is told, and made again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

build();

/** @typedef {import('../../binding').NativeFrame} Frame */

const OPTIONS = ['-r', '1000'];

/** The JavaScript function that a stack's time is due to, its own or through code that V8 brings along. @param {Frame[]} stack */
function leafFunction(stack) {
  return stack.find(({ kind }) => kind === 'js');
}

/** @param {Frame[]} stack @param {string} name */
function isIn(stack, name) {
  return leafFunction(stack)?.functionName === name;
}

describe.each(TIERS)('%s', (tier, flags) => {
  test('a line with three times the work of another has three times the samples', async () => {
    const { truth, recording, profiles } = await recordProgram('two-lines', { options: OPTIONS, flags });
    const isHot = (/** @type {Frame[]} */ stack) => isIn(stack, 'module.exports') || isIn(stack, 'twoLines');
    const cpuOfLine = (/** @type {number} */ line) =>
      cpuWhere(recording, truth.main, (stack) => isHot(stack) && leafFunction(stack)?.sampledLine === line);
    const all = cpuWhere(recording, truth.main, isHot);
    const inTier = cpuWhere(recording, truth.main, (stack) => isHot(stack) && leafFunction(stack)?.tier === tier);
    expect(inTier / all).toBeGreaterThan(0.9);
    const once = cpuOfLine(truth.once);
    const threeTimes = cpuOfLine(truth.threeTimes);
    expect((once + threeTimes) / all).toBeGreaterThan(0.85); // the loop itself has the rest
    expect(Math.abs(once / (once + threeTimes) - 0.25)).toBeLessThan(0.06);

    const nodes = profiles['two-lines.cpuprofile'].nodes.filter(
      (/** @type {any} */ node) => node.callFrame.functionName === 'twoLines',
    );
    for (const { positionTicks = [], hitCount } of nodes) {
      const ticks = positionTicks.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.ticks, 0);
      expect(ticks).toBeLessThanOrEqual(hitCount);
      for (const { line } of positionTicks) expect(line).toBeLessThanOrEqual(7);
    }
  });

  test('three functions deep, whether inlined or not: in order, with the lines of the calls', async () => {
    const { truth, recording } = await recordProgram('inlined', { options: OPTIONS, flags });
    const main = cpuWhere(recording, truth.main);
    expect(cpuWhere(recording, truth.main, (stack) => isIn(stack, 'leaf')) / main).toBeGreaterThan(0.4);

    const own = (/** @type {Frame[]} */ stack) => stack.filter(({ url }) => url.endsWith('inlined.js'));
    const isChain = (/** @type {Frame[]} */ stack) => {
      const [leaf, mid, outer] = own(stack);
      const { lines } = truth;
      return (
        outer?.functionName === 'outer' &&
        [mid.functionName, mid.sampledLine, outer.sampledLine].join() === ['mid', lines.mid, lines.outer].join() &&
        (leaf.sampledLine === 0 || (leaf.sampledLine >= lines.leaf && leaf.sampledLine < lines.leaf + 20))
      );
    };
    const inLeaf = cpuWhere(recording, truth.main, (stack) => isIn(stack, 'leaf'));
    const inChain = cpuWhere(recording, truth.main, (stack) => isIn(stack, 'leaf') && isChain(stack));
    expect(inChain / inLeaf).toBeGreaterThan(0.98);
    const isPlaced = (/** @type {Frame[]} */ stack) => isIn(stack, 'leaf') && own(stack)[0].sampledLine > 0;
    expect(cpuWhere(recording, truth.main, isPlaced) / inLeaf).toBeGreaterThan(0.9);
    const isMarked = (/** @type {Frame[]} */ stack) => {
      const [leaf, mid] = own(stack);
      return leaf.inlined && mid.inlined;
    };
    const inlined = cpuWhere(recording, truth.main, (stack) => isIn(stack, 'leaf') && isMarked(stack));
    if (tier === 'turbofan') expect(inlined / inLeaf).toBeGreaterThan(0.9);
    if (tier === 'interpreted' || tier === 'baseline') expect(inlined).toBe(0);
  });
});

// V8 compiles functions of this size neither with Maglev nor with Turbofan.
test.each(TIERS.slice(0, 2))('a function of 5,000 lines has its lines: %s', async (tier, flags) => {
  const { truth, recording } = await recordProgram('long-function', { options: OPTIONS, flags });
  const isHot = (/** @type {Frame[]} */ stack) => isIn(stack, 'module.exports') || isIn(stack, 'longFunction');
  const isPlaced = (/** @type {Frame[]} */ stack) => {
    const { sampledLine = 0 } = leafFunction(stack) ?? {};
    return isHot(stack) && sampledLine >= truth.first && sampledLine <= truth.last;
  };
  const all = cpuWhere(recording, truth.main, isHot);
  const inTier = cpuWhere(recording, truth.main, (stack) => isHot(stack) && leafFunction(stack)?.tier === tier);
  expect(inTier / all).toBeGreaterThan(0.9);
  expect(cpuWhere(recording, truth.main, isPlaced) / all).toBeGreaterThan(0.9); // the first looks come less far
});

test('a small function inlined into a loop has the loop’s self time', async () => {
  const { truth, recording } = await recordProgram('inlined', { options: OPTIONS });
  const names = ['leaf', 'mid', 'outer'];
  const cpuOf = (/** @type {string[]} */ wanted) =>
    cpuWhere(recording, truth.main, (stack) => wanted.includes(leafFunction(stack)?.functionName ?? ''));
  expect(cpuOf(['leaf']) / cpuOf(names)).toBeGreaterThan(0.95);
});
