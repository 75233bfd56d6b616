'use strict';

const { cpuProfilePieces, toCpuProfile } = require('../../lib/exporters/cpuprofile');
const { builtin, js, native, random, recordingOf } = require('../helpers/recording');
const { selfTimes, stackOf } = require('../helpers/read-cpuprofile');

const MAIN = js('main');
const HOT = js('hot', { line: 20 });

/** @param {ReturnType<typeof recordingOf>} recording @param {number} [thread] */
function exported(recording, thread = 0) {
  return toCpuProfile(recording, recording.threads[thread]);
}

describe('the time line', () => {
  test('a sample is its CPU time, ending when it was taken; the rest is (idle)', () => {
    const recording = recordingOf([
      { atMs: 104, cpuMs: 4, stack: [MAIN, HOT] },
      { atMs: 108, cpuMs: 4, stack: [MAIN] },
      { atMs: 500, cpuMs: 2, stack: [MAIN, HOT] },
    ]);
    const profile = exported(recording);
    const names = profile.samples.map((id) => stackOf(profile, id).at(-1));
    expect(names).toEqual(['(idle)', 'hot', 'main', '(idle)', 'hot', '(idle)']);
    expect(profile.timeDeltas).toEqual([0, 100_000, 4000, 4000, 390_000, 2000]);
    expect([profile.startTime, profile.endTime]).toEqual([0, 1_000_000]);
    expect(Object.fromEntries(selfTimes(profile))).toEqual({ '(idle)': 990_000, hot: 6000, main: 4000 });
  });

  test('samples that overlap are moved apart and keep their CPU time', () => {
    const profile = exported(
      recordingOf([
        { atMs: 10, cpuMs: 20, stack: [MAIN] },
        { atMs: 12, cpuMs: 5, stack: [MAIN, HOT] },
      ]),
    );
    expect(selfTimes(profile).get('main')).toBe(20_000);
    expect(selfTimes(profile).get('hot')).toBe(5000);
    expect(profile.timeDeltas.every((delta) => delta >= 0)).toBe(true);
  });

  test('a time line that overflows the recording moves its end', () => {
    const profile = exported(recordingOf([{ atMs: 999, cpuMs: 1500, stack: [MAIN] }]));
    expect(profile.endTime).toBe(1_500_000);
  });

  test('gaps of a tick do not cut calls in pieces, and are not lost', () => {
    const samples = Array.from({ length: 200 }, (_, i) => ({ atMs: 4 * (i + 1), cpuMs: 3.99, stack: [MAIN] }));
    const profile = exported(recordingOf(samples));
    expect(profile.samples.length).toBeLessThan(210);
    expect(selfTimes(profile).get('main')).toBe(798_000);
    expect(selfTimes(profile).get('(idle)')).toBe(202_000);
  });

  test('a thread that was never sampled is idle throughout', () => {
    const profile = exported(recordingOf([]));
    expect(Object.fromEntries(selfTimes(profile))).toEqual({ '(idle)': 1_000_000 });
  });

  test('only the samples of the thread are in its profile', () => {
    const recording = recordingOf([
      { atMs: 10, cpuMs: 4, stack: [MAIN] },
      { atMs: 10, cpuMs: 3, stack: [HOT], thread: 1 },
    ]);
    expect(selfTimes(exported(recording, 0)).get('hot')).toBeUndefined();
    expect(selfTimes(exported(recording, 1)).get('hot')).toBe(3000);
  });

  const seed = Date.now() % 1_000_000;
  test(`sums of self time are sums of CPU time, whatever the samples (seed ${seed})`, () => {
    const next = random(seed);
    for (let round = 0; round < 40; round++) {
      const functions = Array.from({ length: 1 + Math.floor(next() * 20) }, (_, i) => js(`f${i}`, { line: i + 1 }));
      let atMs = 0;
      const samples = Array.from({ length: Math.floor(next() * 2000) }, () => {
        atMs += next() < 0.1 ? next() * 50 : next() * 0.01;
        const leaf = functions[Math.floor(next() * functions.length)];
        return { atMs, cpuMs: next() * 0.02 * 10 ** Math.floor(next() * 3), stack: [functions[0], leaf] };
      });
      const recording = recordingOf(samples, { durationNs: (atMs + 5) * 1e6 });
      const self = selfTimes(exported(recording));
      self.delete('(idle)');
      const cpuUs = samples.reduce((sum, { cpuMs }) => sum + cpuMs * 1000, 0);
      const selfUs = [...self.values()].reduce((sum, us) => sum + us, 0);
      expect(Math.abs(selfUs - cpuUs)).toBeLessThan(1);
      for (const { functionName } of functions) {
        const own = samples.filter(({ stack }) => stack[1].functionName === functionName);
        const ownUs = own.reduce((sum, { cpuMs }) => sum + cpuMs * 1000, 0);
        expect(Math.abs((self.get(functionName) ?? 0) - ownUs)).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('nodes', () => {
  test('have the place of the definition, 0-based, and files as URLs', () => {
    const profile = exported(
      recordingOf([{ atMs: 5, cpuMs: 1, stack: [js('f', { url: '/app/a b.js', line: 3, column: 9 })] }]),
    );
    expect(profile.nodes.at(-1)?.callFrame).toEqual({
      ...{ functionName: 'f', scriptId: '7', url: 'file:///app/a%20b.js', lineNumber: 2, columnNumber: 8 },
    });
  });

  test('an anonymous function has no name, and an unknown place is -1', () => {
    const profile = exported(
      recordingOf([{ atMs: 5, cpuMs: 1, stack: [js('', { url: 'node:fs', line: 0, column: 0 })] }]),
    );
    expect(profile.nodes.at(-1)?.callFrame).toMatchObject({
      ...{ functionName: '', url: 'node:fs', lineNumber: -1, columnNumber: -1 },
    });
  });

  test('native code and builtins name their module, and no script', () => {
    const stack = [native('deflate', '/usr/lib/libz.so.1'), builtin('ArrayMap')];
    const profile = exported(recordingOf([{ atMs: 5, cpuMs: 1, stack }]));
    expect(profile.nodes.slice(3).map(({ callFrame }) => callFrame)).toEqual([
      { functionName: 'deflate', scriptId: '0', url: 'native:libz.so.1', lineNumber: -1, columnNumber: -1 },
      { functionName: 'ArrayMap', scriptId: '0', url: 'native:v8', lineNumber: -1, columnNumber: -1 },
    ]);
  });

  test('frames that differ in tier or inlining share a node', () => {
    const fast = { ...HOT, tier: /** @type {const} */ ('turbofan'), inlined: true };
    const profile = exported(
      recordingOf([
        { atMs: 5, cpuMs: 1, stack: [MAIN, HOT] },
        { atMs: 9, cpuMs: 1, stack: [MAIN, fast] },
      ]),
    );
    expect(profile.nodes.filter(({ callFrame }) => callFrame.functionName === 'hot')).toHaveLength(1);
    expect(profile.nodes.at(-1)?.hitCount).toBe(2);
  });

  test('positionTicks are the lines of a node’s own samples; frames that differ in place share a node', () => {
    const at = (/** @type {number} */ sampledLine) => js('hot', { line: 20, sampledLine, inlined: sampledLine === 22 });
    const [first, second, unknown] = [at(21), at(22), at(0)];
    const main = js('main', { sampledLine: 11 });
    const profile = exported(
      recordingOf([
        { atMs: 1, cpuMs: 1, stack: [main, second] },
        { atMs: 2, cpuMs: 1, stack: [js('main', { sampledLine: 12 }), first] },
        { atMs: 3, cpuMs: 1, stack: [main, second] },
        { atMs: 4, cpuMs: 1, stack: [main, unknown] },
        { atMs: 5, cpuMs: 1, stack: [main, second], state: 1 },
        { atMs: 6, cpuMs: 1, stack: [main, second, native('memcpy')] },
      ]),
    );
    const hot = profile.nodes.filter((node) => node.callFrame.functionName === 'hot');
    expect(hot).toHaveLength(1);
    expect(hot[0].hitCount).toBe(4);
    expect(hot[0].positionTicks).toEqual([
      { line: 21, ticks: 1 },
      { line: 22, ticks: 2 },
    ]);
    expect(profile.nodes.filter((node) => node.positionTicks !== undefined)).toEqual(hot);
  });

  test('in a collection, (garbage collector) stands between the program and the collector', () => {
    const stack = [native('main'), MAIN, native('Heap::Collect'), native('Scavenge')];
    const profile = exported(
      recordingOf([
        { atMs: 5, cpuMs: 1, stack, state: 1 },
        { atMs: 9, cpuMs: 1, stack },
      ]),
    );
    const stacks = profile.samples.map((id) => stackOf(profile, id).join(' '));
    expect(stacks).toContain('main main (garbage collector) Heap::Collect Scavenge');
    expect(stacks).toContain('main main Heap::Collect Scavenge');
  });

  test('in a collection without native frames, (garbage collector) is the leaf', () => {
    const profile = exported(recordingOf([{ atMs: 5, cpuMs: 1, stack: [MAIN, HOT], state: 1 }]));
    expect(stackOf(profile, profile.samples[1])).toEqual(['main', 'hot', '(garbage collector)']);
  });

  test('a sample without a stack is (program)', () => {
    expect(selfTimes(exported(recordingOf([{ atMs: 5, cpuMs: 2, stack: [] }]))).get('(program)')).toBe(2000);
  });

  test('a stack of ten thousand frames is no deeper than memory', () => {
    const stack = Array.from({ length: 10_000 }, (_, i) => js(`f${i}`, { line: i + 1 }));
    const profile = exported(recordingOf([{ atMs: 5, cpuMs: 2, stack }]));
    expect(profile.nodes).toHaveLength(10_003);
  });
});

describe('the file', () => {
  test('is JSON, in pieces, the same as the object', () => {
    const samples = Array.from({ length: 9000 }, (_, i) => ({ atMs: i, cpuMs: 0.3, stack: [MAIN, HOT] }));
    const profile = exported(recordingOf(samples, { durationNs: 9e9 }));
    const pieces = [...cpuProfilePieces(profile)];
    expect(JSON.parse(pieces.join(''))).toEqual(JSON.parse(JSON.stringify(profile)));
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(1 << 20);
  });

  test('says where it comes from and what was lost', () => {
    expect(exported(recordingOf([]))['x-spprof']).toMatchObject({
      ...{ pid: 4242, timer: 'tick', intervalNs: 1e6, thread: { kind: 'main' }, stats: { written: 0 } },
    });
  });
});
