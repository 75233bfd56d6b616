'use strict';

/** The engines from outside: what each says of itself, and what is refused. Their rates and weights: test/native/sampler_test.cc. */

const fs = require('node:fs');
const path = require('node:path');
const { evaluate } = require('../helpers/evaluate');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

// Shares are estimates, and the core is not ours alone: a measurement that is off is told, and made again.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

const folder = temporaryFolder();
const PROGRAM = path.join(__dirname, '..', 'programs', 'busy.js');

/** @type {[string, string][]} */
const CLOCKS = [
  ['tick', 'thread-cpu'],
  ['hires', 'monotonic'],
  ['perf', 'task-clock'],
  ['itimer', 'process-cpu'],
];
test.each(CLOCKS)('%s: every function with its share, on the clock that it says', (timer, clock) => {
  const result = evaluate(`
    function heavy() { return hotLoop(600); }
    function light() { return hotLoop(200); }
    let session;
    const problem = codeOf(() => { session = spprof.start({ timer: '${timer}', intervalUs: 1000 }); });
    if (problem !== null) return print({ problem });
    heavy();
    light();
    const profile = await session.stop();
    const total = (name) => profile.functions.find(({ functionName }) => functionName === name)?.totalNs ?? 0;
    print({ problem, timer: profile.timer, stats: profile.stats, share: total('heavy') / (total('heavy') + total('light')) });
  `);
  if (result.problem !== null) {
    // The kernel forbids perf events here: a sentence says so, and nothing is recorded.
    expect(timer).toBe('perf');
    expect(result.problem[0]).toBe('ERR_SPPROF_TIMER');
    expect(result.problem[1]).toMatch(/^timer perf cannot be used here \(.*\); use timer auto$/);
    return;
  }
  expect(result.timer).toBe(timer);
  expect(result.stats.clock).toBe(clock);
  expect(Math.abs(result.share - 0.75)).toBeLessThan(0.04);
});

test('the environment chooses an engine where the program does not', () => {
  const timers = evaluate(`
    process.env.SPPROF_TIMER = 'itimer';
    const timers = [(await spprof.start().stop()).timer, (await spprof.start({ timer: 'tick' }).stop()).timer];
    process.env.SPPROF_TIMER = 'sundial';
    print([...timers, codeOf(() => spprof.start())[1]]);
  `);
  expect(timers).toEqual(['itimer', 'tick', expect.stringMatching(/^SPPROF_TIMER must be one of .*not "sundial"$/)]);
});

test('itimer comes with SIGPROF and no other signal', () => {
  const run = runCli(['--timer', 'itimer', '--signal', 'SIGUSR2', 'node', PROGRAM], { cwd: folder });
  expect(run.status).toBe(2);
  expect(run.stderr).toBe("spprof: signal must be 'auto' or 'SIGPROF' with the timer itimer, not \"SIGUSR2\"\n");
});

test('the command records with each engine', () => {
  for (const timer of ['tick', 'hires', 'itimer']) {
    const run = runCli(['--timer', timer, '--json', '-o', `${timer}.cpuprofile`, PROGRAM, '300', '0'], { cwd: folder });
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stderr).processes[0].timer).toBe(timer);
  }
});

const { execve } = /** @type {{ execve?: Function }} */ (process);
const whyNoExecve = execve === undefined ? ' (NOT RUN: this Node.js has no process.execve)' : '';
(execve === undefined ? test.skip : test)(
  `a program that takes the place of another ends as it would${whyNoExecve}`,
  () => {
    const becomes = path.join(folder, 'becomes.js');
    const works = 'for (const end = Date.now() + 200; Date.now() < end; );';
    fs.writeFileSync(
      becomes,
      `${works} process.execve(process.execPath, ['node', '-e', '${works} process.exit(7)'], process.env)`,
    );
    for (const timer of ['tick', 'hires', 'itimer']) {
      const { status } = runCli(['--timer', timer, '-q', '-o', `${timer}-becomes.folded`, becomes], { cwd: folder });
      expect([timer, status]).toEqual([timer, 7]);
    }
  },
);
