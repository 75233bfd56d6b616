'use strict';

/**
 * Go's own pprof reads what we write, and finds the same times. It is not installed for the tests, since no small package has it: Debian's
 * golang-1.19-go brings 450 MB with it. Where `pprof` or `go` is in PATH, or Debian's package is there, it is used.
 */

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const spprof = require('../../lib/index');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

/** @returns {string[] | null} the command */
function findPprof() {
  const works = (/** @type {string[]} */ [command, ...args]) => {
    // Without a file it says how it is used, or what is missing; only that it can be started matters.
    const { error, stdout, stderr } = spawnSync(command, [...args, '-help'], { encoding: 'utf8' });
    return error === undefined && /-top\b/.test(stdout + stderr);
  };
  const folders = fs.existsSync('/usr/lib')
    ? fs.readdirSync('/usr/lib').filter((name) => /^go-[\d.]+$/.test(name))
    : [];
  const debian = folders.map((name) => [`/usr/lib/${name}/pkg/tool/linux_amd64/pprof`]);
  return [['pprof'], ['go', 'tool', 'pprof'], ...debian].find(works) ?? null;
}

const pprof = findPprof();
if (pprof === null)
  process.stderr.write("go-pprof: skipped: Go's pprof is not installed (apt-get install golang-go)\n");
const pprofTest = pprof === null ? test.skip : test;

const folder = temporaryFolder();
const file = path.join(folder, 'w.pb.gz');
/** @type {import('../../lib/index').Profile} */
let profile;

/** @param {string[]} args @returns {string} */
function run(...args) {
  const [command, ...first] = /** @type {string[]} */ (pprof);
  const all = [
    ...first,
    '-symbolize=none',
    '-sample_index=cpu',
    '-unit=ns',
    '-nodefraction=0',
    '-nodecount=100000',
    ...args,
    file,
  ];
  return execFileSync(command, all, { encoding: 'utf8', env: { ...process.env, PPROF_TMPDIR: folder } });
}

beforeAll(async () => {
  if (pprof === null) return;
  const program = path.join(__dirname, '..', 'programs', 'workers.js');
  const { status, stderr } = runCli(['-q', '-r', '1000', '-o', file, process.execPath, program], { cwd: folder });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  profile = await spprof.readProfile(path.join(folder, 'w.spprof'));
}, 60_000);

/** Times are whole nanoseconds there: a function of so many stacks may be off by as many. */
const ROUNDING = 1000;

pprofTest('-top: all time, and the self and total time of each of our functions', () => {
  const text = run('-top');
  expect(Math.abs(Number(/Total samples = (\d+)ns/.exec(text)?.[1]) - profile.cpuNs)).toBeLessThan(ROUNDING);
  const rows = [...text.matchAll(/^ *(\d+)(?:ns)? +\S+ +\S+ +(\d+)(?:ns)? +\S+ {2}(.+)$/gm)];
  const found = new Map(rows.map(([, self, total, name]) => [name, [Number(self), Number(total)]]));
  // pprof puts together what has one name: a JavaScript function and one of C.
  /** @type {Map<string, number>} */
  const names = new Map();
  for (const { functionName } of profile.functions) names.set(functionName, (names.get(functionName) ?? 0) + 1);
  const once = profile.functions.filter(({ kind, functionName }) => kind === 'js' && names.get(functionName) === 1);
  expect(once.map(({ functionName }) => functionName)).toContain('workerLoop');
  for (const { functionName, selfNs, totalNs } of once) {
    const [self, total] = found.get(functionName) ?? [-1, -1];
    expect([functionName, Math.abs(self - selfNs) < ROUNDING, Math.abs(total - totalNs) < ROUNDING]).toEqual([
      functionName,
      true,
      true,
    ]);
  }
});

pprofTest('-peek: who calls a function', () => {
  const text = run('-peek', '^workerLoop$');
  const loop = profile.functions.find(({ functionName }) => functionName === 'workerLoop');
  const [, self, total] = /^ *(\d+)(?:ns)? +\S+ +\S+ +(\d+)(?:ns)? +\S+ +\| workerLoop$/m.exec(text) ?? [];
  expect(Math.abs(Number(self) - (loop?.selfNs ?? 0))).toBeLessThan(ROUNDING);
  expect(Math.abs(Number(total) - (loop?.totalNs ?? 0))).toBeLessThan(ROUNDING);
  expect(text).toMatch(/\| +\(anonymous\)\n/);
});

pprofTest('-tags: the time of each thread', () => {
  // There the unit is pprof's own choice; the shares have four digits.
  const section = run('-tags')
    .split(/^ *thread: /m)[1]
    .split('\n\n')[0];
  const found = new Map(
    [...section.matchAll(/^ *\S+ \( *([\d.]+)%\): (.+)$/gm)].map(([, share, name]) => [name, Number(share)]),
  );
  /** @type {Map<string, number>} */
  const ours = new Map();
  for (const { name, cpuNs } of profile.threads) if (cpuNs > 0) ours.set(name, (ours.get(name) ?? 0) + cpuNs);
  expect([...found.keys()].sort()).toEqual([...ours.keys()].sort());
  for (const [name, ns] of ours) expect(found.get(name)).toBeCloseTo((100 * ns) / profile.cpuNs, 1);
});

pprofTest('-tagfocus: one thread alone', () => {
  const [main] = profile.threads.filter(({ kind }) => kind === 'main');
  const text = run('-top', `-tagfocus=thread id=${main.tid}:${main.tid}`);
  expect(text).not.toMatch(/ workerLoop$/m);
});
