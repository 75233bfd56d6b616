'use strict';

/** One command, one recording: all processes in one file, `%p` for a file each, one log for all. */

const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const pprof = require('pprof-format');
const { readProfile } = require('../../lib');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const FAMILY = path.join(__dirname, '..', 'programs', 'family.js');
/** CPU time that each name burns, ms; the worker of `third` burns 400 more. */
const BURNT = { second: 900, third: 1000, first: 300 };

const names = [
  'x.html',
  'x.cpuprofile',
  'x.pb.gz',
  'x.folded',
  'x.speedscope.json',
  'x.profile.json',
  'x.trace.json',
  'x.md',
];
const outputs = [...names, 'each-%p.folded', 'each-%p.cpuprofile'].flatMap((name) => ['-o', name]);
const recorded = runCli(['--json=summary.json', '-r', '500', ...outputs, process.execPath, FAMILY], { cwd: folder });
const at = (/** @type {string} */ name) => path.join(folder, name);
const read = (/** @type {string} */ name) => fs.readFileSync(at(name), 'utf8');
/** @type {{ processes: any[] }} */
const summary = JSON.parse(read('summary.json'));

test('the summary is one, of all processes, with the busiest first', () => {
  const { status, stderr } = recorded;
  expect(status).toBe(0);
  expect(stderr).toMatch(/^spprof: family: your code /);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  expect(stderr).toMatch(/^spprof: family, 4 processes: /m);
  expect(stderr).toMatch(/^processes family \d+ \d+\.\d %, family \d+ /m);
  const times = summary.processes.map(({ cpuNs }) => cpuNs);
  expect(times).toEqual([...times].sort((a, b) => b - a));
  expect(summary.processes).toHaveLength(4);
});

test('no file has a process id in its name, except those that were asked for and those of further threads', () => {
  const pids = summary.processes.map(({ pid }) => pid);
  const files = fs.readdirSync(folder).filter((name) => name !== 'summary.json');
  const [first, second, third, parent] = pids;
  expect(files.filter((name) => !names.includes(name)).sort()).toEqual(
    [
      ...pids.flatMap((pid) => [`each-${pid}.folded`, `each-${pid}.cpuprofile`]),
      `each-${first}.${first}.worker-1.cpuprofile`,
      ...[`x.${first}.worker-1.cpuprofile`, `x.${second}.main.cpuprofile`, `x.${third}.main.cpuprofile`],
      ...(fs.existsSync(at(`x.${parent}.main.cpuprofile`)) ? [`x.${parent}.main.cpuprofile`] : []),
      'x.spprof',
    ].sort(),
  );
  const named = JSON.parse(read('x.cpuprofile'));
  expect(named['x-spprof'].pid).toBe(first);
  expect(named.nodes.map((/** @type {any} */ { callFrame }) => callFrame.functionName)).toContain('third');
  // The parent waits: it has a file if it used more than a hundredth.
  const whole = summary.processes.reduce((sum, { cpuNs }) => sum + cpuNs, 0);
  expect(fs.existsSync(at(`x.${parent}.main.cpuprofile`))).toBe(summary.processes[3].threads[0].cpuNs > 0.01 * whole);
});

test('the one log gives the same again, whole and for a process', async () => {
  const profile = await readProfile(at('x.spprof'));
  expect(profile.processes.map(({ pid, cpuNs }) => [pid, cpuNs])).toEqual(
    summary.processes.map(({ pid, cpuNs }) => [pid, cpuNs]),
  );
  expect(profile.processes.reduce((sum, { sampleCount }) => sum + sampleCount, 0)).toBe(profile.sampleCount);
  expect(profile.threads.map(({ processId }) => processId)).toEqual(
    [...profile.threads].map(({ processId }) => processId).sort((a, b) => a - b),
  );
  for (const [id, process] of summary.processes.entries()) {
    const own = profile.filter({ processIds: [id] });
    expect(own.pid).toBe(process.pid);
    expect(own.processes).toHaveLength(1);
    expect(own.cpuNs).toBeCloseTo(process.cpuNs, -3);
    expect(own.stats.signals).toBe(process.stats.signals);
  }
  expect(() => profile.filter({ processIds: [4] })).toThrow(
    expect.objectContaining({ code: 'ERR_SPPROF_UNKNOWN_PROCESS' }),
  );
  const { stats } = profile;
  const dropped = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
  expect(stats.signals).toBe(stats.written + dropped);
});

test('one function of several processes is one row; each function has the time that was burnt in it', async () => {
  const profile = await readProfile(at('x.spprof'));
  const rows = profile.inView('program').functions;
  expect(rows.filter(({ functionName }) => functionName === 'burn')).toHaveLength(1);
  const parts = profile.processes.map(({ id }) => profile.filter({ processIds: [id] }).cpuNs);
  const known = Object.values(BURNT).sort((a, b) => b - a);
  // The processes were scheduled as the machine liked, and their CPU time is what they burnt and their start.
  for (const [i, ms] of known.entries()) expect(parts[i] / 1e6).toBeGreaterThan(0.9 * ms);
});

test('every format holds every process', () => {
  const pids = summary.processes.map(({ pid }) => pid);
  const data = pprof.Profile.decode(zlib.gunzipSync(fs.readFileSync(at('x.pb.gz'))));
  const text = (/** @type {unknown} */ number) => data.stringTable.strings[Number(number)];
  const labelled = new Set(
    data.sample.flatMap(({ label }) =>
      label.filter(({ key }) => text(key) === 'process id').map(({ num }) => Number(num)),
    ),
  );
  const withSamples = summary.processes.filter(({ sampleCount }) => sampleCount > 0).map(({ pid }) => pid);
  expect([...labelled].sort()).toEqual([...withSamples].sort());
  const firefox = JSON.parse(read('x.profile.json'));
  expect(new Set(firefox.threads.map((/** @type {any} */ { pid }) => Number(pid)))).toEqual(new Set(withSamples));
  const trace = JSON.parse(read('x.trace.json'));
  expect(new Set(trace.traceEvents.map((/** @type {any} */ { pid }) => pid))).toEqual(new Set(withSamples));
  for (const file of ['x.folded', 'x.speedscope.json'])
    for (const pid of withSamples) expect(read(file)).toContain(`family ${pid}: `);
  for (const pid of withSamples) expect(read('x.html')).toContain(`"processName":"family ${pid}"`);
  for (const pid of pids) expect(read('x.md')).toContain(`family ${pid} `);
});

test('%p: each file holds its own process', () => {
  for (const process of summary.processes) {
    const own = process.files.filter((/** @type {any} */ each) => path.basename(each.path).startsWith('each-'));
    expect(own.slice(0, 2).map((/** @type {any} */ each) => each.path)).toEqual(
      ['folded', 'cpuprofile'].map((word) => at(`each-${process.pid}.${word}`)),
    );
    // Threads have the numbers of the whole.
    const ids = process.threads.map((/** @type {any} */ thread) => thread.id);
    for (const { threadId } of own.slice(1)) expect(ids).toContain(threadId);
    expect(read(`each-${process.pid}.folded`)).not.toContain(`family ${process.pid}: `);
  }
  // By CPU time: `third` and its worker, `second`, `first`.
  const [third, second, first] = summary.processes.map(({ pid }) => read(`each-${pid}.folded`));
  for (const [name, text] of Object.entries({ first, second, third })) {
    const others = Object.keys(BURNT).filter((each) => each !== name);
    expect(text).toMatch(new RegExp(`;${name} `));
    expect(text).not.toMatch(new RegExp(`;(?:${others.join('|')}) `));
  }
});

test('report --process shows one; convert makes a file of all, and of each', () => {
  const [busiest, second] = summary.processes;
  const report = runCli(['report', '--sort', 'total', '--process', String(second.pid), 'x.spprof'], { cwd: folder });
  expect(report.stdout).toMatch(new RegExp(`^process ${second.pid}: `, 'm'));
  expect(report.stdout).toMatch(/ second /);
  expect(report.stdout).not.toMatch(/ third /);
  const unknown = runCli(['report', '--process', '1', 'x.spprof'], { cwd: folder });
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toMatch(/no process "1" in this profile; it has family \d+, /);
  const args = ['convert', 'x.spprof', '-o', 'c.folded', '-o', 'c-%p.folded', '-o', 'copy.spprof'];
  expect(runCli(args, { cwd: folder }).status).toBe(0);
  const lines = (/** @type {string} */ name) => read(name).trim().split('\n').sort();
  expect(lines('c.folded')).toEqual(lines('x.folded'));
  expect(lines(`c-${busiest.pid}.folded`)).toEqual(lines(`each-${busiest.pid}.folded`));
  expect(fs.readFileSync(at('copy.spprof')).equals(fs.readFileSync(at('x.spprof')))).toBe(true);
});

test('damage hides no other process: the list, or one log', async () => {
  const bytes = fs.readFileSync(at('x.spprof'));
  const list = Buffer.from(bytes);
  list.fill(0, 16, 24);
  fs.writeFileSync(at('list.spprof'), list);
  const found = await readProfile(at('list.spprof'));
  const whole = await readProfile(at('x.spprof'));
  expect(found.processes.map(({ pid }) => pid)).toEqual(whole.processes.map(({ pid }) => pid));
  expect(found.sampleCount).toBe(whole.sampleCount);
  const { logs } = JSON.parse(bytes.subarray(16, 16 + bytes.readUInt32LE(8)).toString());
  const one = Buffer.from(bytes);
  // Its version: the magic is still a log's.
  one.writeUInt32LE(999, logs[1].offset + 8);
  fs.writeFileSync(at('one.spprof'), one);
  const rest = await readProfile(at('one.spprof'));
  expect(rest.processes).toHaveLength(3);
  expect(rest.stats.warnings).toEqual([
    expect.stringMatching(/recording of one process cannot be read: .*version 999/),
  ]);
  fs.writeFileSync(at('none.spprof'), bytes.subarray(0, 64));
  await expect(readProfile(at('none.spprof'))).rejects.toThrow(
    expect.objectContaining({ code: 'ERR_SPPROF_BAD_RECORDING' }),
  );
});

test('a folder of several processes is one recording', () => {
  const args = ['--dir', 'kept', '-q', '-o', 'k.folded', process.execPath, FAMILY];
  expect(runCli(args, { cwd: folder }).status).toBe(0);
  const report = runCli(['report', 'kept'], { cwd: folder });
  expect(report.status).toBe(0);
  expect(report.stdout).toMatch(/^4 processes: /m);
  expect(runCli(['convert', 'kept', '-o', 'kept.spprof'], { cwd: folder }).status).toBe(0);
  expect(runCli(['report', 'kept.spprof'], { cwd: folder }).stdout).toBe(report.stdout);
});

test('without a name there is one file, too; the runner of node --test has not the name of a test', () => {
  const own = at('own');
  fs.mkdirSync(own);
  for (const name of ['a', 'b'])
    fs.writeFileSync(path.join(own, `${name}.test.js`), "require('node:test')('works', () => {});");
  const { status, stderr } = runCli([process.execPath, '--test', 'a.test.js', 'b.test.js'], { cwd: own });
  expect(status).toBe(0);
  const written = fs.readdirSync(own).filter((name) => name.startsWith('spprof.'));
  expect(written.filter((name) => name.endsWith('.spprof'))).toHaveLength(1);
  expect(written.filter((name) => /^spprof\.\d{8}T\d{6}\.\d+\.cpuprofile$/.test(name))).toHaveLength(1);
  expect(stderr).toMatch(/^spprof: node --test: /);
  expect(stderr).toMatch(/^spprof: node --test, 3 processes: /m);
});

test('many short processes: one summary of at most twenty lines, one page, one log', () => {
  const many = at('many');
  fs.mkdirSync(many);
  const script = 'for (let i = 0; i < 25; i++) require("child_process").execFileSync(process.execPath, ["-e", "0"])';
  const { status, stderr } = runCli(['-o', 'm.html', process.execPath, '-e', script], { cwd: many });
  expect(status).toBe(0);
  expect(fs.readdirSync(many).sort()).toEqual(['m.html', 'm.spprof']);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  expect(stderr).toMatch(/^processes .*, 22 more \d+\.\d %$/m);
});
