'use strict';

/** A core that two threads share: who loses the CPU in a system call is not charged for that. And sleeps end when they are to. */

const { shareAndError } = require('../helpers/standard-error');
const { describeUnlessChosen } = require('../helpers/engine');
const { evaluate } = require('../helpers/evaluate');
const { build } = require('../fixtures/native-addon/build');
const { recordProgram, runProgram, weighedSamples } = require('../programs/truth/recorded');

build();
const FIXTURE = `const fixture = require(${JSON.stringify(build().addon)});`;

/** Without an engine of one's own choice: perf, or the kernel's tick where perf events are forbidden. */
describeUnlessChosen.each([[1000], [5000], [10_000]])('at %i samples a second', (rate) => {
  test('the place where a thread loses the CPU has its own time', async () => {
    // As it is when nobody looks: what stopping and setting a thread's timers takes at each change of the thread is charged to the
    // thread that comes, in its call.
    const { writeByte, compute } = runProgram('shared-core', '1500').parts;
    const options = ['-r', String(rate)]; // what samples may cost makes the interval longer, as it would for anybody
    const { truth, recording } = await recordProgram('shared-core', { options, args: ['4000'] });
    expect(['perf', 'tick']).toContain(recording.timer);
    const isWrite = (/** @type {string[]} */ names) => names.includes('writeByte');
    const isAsked = (/** @type {string[]} */ names) => isWrite(names) || names.includes('compute');
    const samples = weighedSamples(recording, truth.main).filter(({ names }) => isAsked(names));
    const { share, error } = shareAndError(samples.map(({ names, weight }) => ({ weight, isIn: isWrite(names) })));
    const truly = writeByte / (writeByte + compute);
    // 3.3 standard errors are passed once in a thousand runs. Two points are for what is no chance: our own cost in the call. What was
    // charged for losing the CPU had 8 points too much here, and 28 to 34 in a program whose call is shorter.
    const bound = 0.02 + 3.3 * error;
    console.info(
      `${recording.timer}, ${samples.length} samples: writeByte ${(100 * share).toFixed(2)} % of ${(100 * truly).toFixed(2)} %, ` +
        `within ${(100 * bound).toFixed(2)} points`,
    );
    expect(Math.abs(share - truly)).toBeLessThan(bound);
  });

  test('no sleep of a thread that works in between ends early', () => {
    const { without, sampled, timer, count, reason } = evaluate(`
      ${FIXTURE}
      const turns = 25, workNs = 2e6;
      const without = fixture.interruptedSleeps(turns, workNs);
      const session = spprof.start({ intervalUs: ${1e6 / rate}, maxOverhead: 100 });
      const sampled = fixture.interruptedSleeps(turns, workNs);
      const profile = await session.stop();
      print({ without, sampled, timer: profile.timer, count: profile.sampleCount, reason: profile.stats.warnings[0] });
    `);
    if (timer === 'tick') expect(reason).toMatch(/perf events are not permitted/);
    else expect(timer).toBe('perf');
    // 225 sleeps after 2 ms of work each.
    expect(count).toBeGreaterThan(timer === 'tick' ? 10 : 100);
    expect({ without, sampled }).toEqual({ without: 0, sampled: 0 });
  });
});

describeUnlessChosen('without an engine that could keep the interval', () => {
  test.each([
    [
      'perf events are forbidden',
      'fixture.forbidPerfEvents();',
      'auto',
      /^samples come every .* not every 1 ms: perf events are not/,
    ],
    ['a real-time signal is asked for', '', 'SIGRTMIN+3', /not every 1 ms: perf events cannot send SIGRTMIN\+3$/],
  ])('%s: the kernel’s tick, and one line that says why', (_, prepare, signal, why) => {
    const { timer, warnings, share } = evaluate(`
      ${FIXTURE}
      ${prepare}
      const session = spprof.start({ intervalUs: 1000, signal: '${signal}' });
      hotLoop(300);
      const profile = await session.stop();
      const of = profile.functions.find(({ functionName }) => functionName === 'hotLoop').totalNs;
      print({ timer: profile.timer, warnings: profile.stats.warnings, share: of / 3e8 });
    `);
    expect(timer).toBe('tick');
    expect(warnings).toEqual([expect.stringMatching(why)]);
    expect(share).toBeGreaterThan(0.8);
  });
});
