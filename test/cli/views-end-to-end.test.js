'use strict';

/**
 * A program whose time is known by construction: it runs one function of its own, one of a dependency and one hash in turns, each for as
 * long as a share of the thread's CPU time asks for. What the report says must agree, within what the number of samples allows.
 */

const fs = require('node:fs');
const path = require('node:path');
const spprof = require('../../lib/index');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const SHARES = { own: 0.6, dependency: 0.25, crypto: 0.15 };

const PROGRAM = `
const { dependencyWork } = require('known-dep');
const { createHash } = require('node:crypto');
const block = Buffer.alloc(1 << 20, 7);
const cpuMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e3; };
function ownWork(n) { let x = 0; for (let i = 0; i < n; i++) x += Math.sqrt(i) * (i & 7); return x; }
function hashWork() { return createHash('sha256').update(block).digest()[0]; }
const parts = [[${SHARES.own}, () => ownWork(200000)], [${SHARES.dependency}, () => dependencyWork(200000)], [${SHARES.crypto}, hashWork]];
const used = [0, 0, 0];
let all = 0;
const end = Number(process.argv[2]);
while (all < end) {
  // The part that is furthest behind its share goes next.
  const lags = parts.map(([share], i) => share * all - used[i]);
  const next = lags.indexOf(Math.max(...lags));
  const before = cpuMs();
  parts[next][1]();
  const took = cpuMs() - before;
  used[next] += took;
  all += took;
}
require('node:fs').writeFileSync('used.json', JSON.stringify(used));
`;

const DEPENDENCY =
  "'use strict';\nmodule.exports = { dependencyWork(n) { let x = 0; for (let i = 0; i < n; i++) x += Math.cbrt(i) * (i & 3); return x; } };\n";

/** Of an estimate of a share by n samples, four standard deviations: one of 16,000 right runs is beyond. */
function bound(share, samples) {
  return 4 * Math.sqrt((share * (1 - share)) / samples);
}

/** @type {import('../../lib/index').Profile} */
let profile;
/** Of the CPU time in the three parts, by the program's own account. @type {number[]} */
let truth;
let stderr = '';

beforeAll(async () => {
  const dependency = path.join(folder, 'node_modules', 'known-dep');
  fs.mkdirSync(path.join(dependency, 'src'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'app.js'), PROGRAM);
  fs.writeFileSync(path.join(dependency, 'src', 'index.js'), DEPENDENCY);
  fs.writeFileSync(
    path.join(dependency, 'package.json'),
    JSON.stringify({ name: 'known-dep', version: '3.2.1', main: 'src/index.js' }),
  );
  const outputs = ['k.html', 'k.folded', 'k.cpuprofile', 'k.md'].flatMap((name) => ['-o', name]);
  ({ stderr } = runCli(['-r', '1000', ...outputs, process.execPath, 'app.js', '1500'], { cwd: folder }));
  profile = await spprof.readProfile(path.join(folder, 'k.spprof'), { view: 'program' });
  const used = JSON.parse(fs.readFileSync(path.join(folder, 'used.json'), 'utf8'));
  const sum = used.reduce((all, ms) => all + ms, 0);
  truth = used.map((ms) => ms / sum);
}, 60_000);

/** @param {string} name @param {number} [line] */
function functionOf(name) {
  return profile.functions.find(({ functionName, kind }) => kind === 'js' && functionName === name);
}

test('the program kept to its shares', () => {
  Object.values(SHARES).forEach((share, i) => {
    expect(truth[i]).toBeCloseTo(share, 1);
  });
});

test('functions have the time that they took, with what V8 and native code did for them', () => {
  const totals = ['ownWork', 'dependencyWork', 'hashWork'].map((name) => functionOf(name)?.totalNs ?? 0);
  const sum = totals.reduce((all, ns) => all + ns, 0);
  totals.forEach((ns, i) => {
    expect(Math.abs(ns / sum - truth[i])).toBeLessThan(bound(truth[i], profile.sampleCount));
  });
});

test('categories say whose code it was, and add up', () => {
  const { categories } = profile;
  const of = (name) => categories.find((category) => category.name === name);
  expect(categories.reduce((tenths, { percent }) => tenths + Math.round(percent * 10), 0)).toBe(1000);
  expect(of('dependencies')?.parts.map(({ name }) => name)).toEqual(['known-dep@3.2.1']);
  expect(of('native')?.parts[0].name).toMatch(/OpenSSL|libcrypto/);
  // The start of the program, compilation and collection are beside the three parts.
  const [own, dependency, crypto] = ['your code', 'dependencies', 'native'].map((name) => of(name)?.ns ?? 0);
  const sum = own + dependency + crypto;
  for (const [i, ns] of [own, dependency, crypto].entries()) {
    // A hash is also a little JavaScript of Node.js and a few system calls.
    expect(Math.abs(ns / sum - truth[i])).toBeLessThan(bound(truth[i], profile.sampleCount) + 0.02);
  }
});

test('the summary has at most 20 lines, and begins with the categories', () => {
  const lines = stderr.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(20);
  expect(lines[0]).toMatch(/^spprof: app: your code \d+\.\d %.*dependencies \d+\.\d % \(known-dep@3\.2\.1 \d+\.\d\)/);
  const percents = [...lines[0].matchAll(/ (\d+)\.(\d) %/g)].map(
    ([, whole, tenth]) => Number(whole) * 10 + Number(tenth),
  );
  expect(percents.reduce((sum, tenths) => sum + tenths, 0)).toBe(1000);
  expect(lines.slice(2, 5).join('\n')).toMatch(/ownWork/);
  expect(lines.slice(2, 5).join('\n')).toMatch(/dependencyWork/);
  expect(stderr).not.toMatch(/v8::|node::|stop accepting|p99|overrun/);
  for (const name of ['k.html', 'k.folded', 'k.cpuprofile', 'k.md', 'k.spprof'])
    expect(stderr).toContain(path.join(folder, name));
});

test('every report begins with the categories, and shows the program first', () => {
  const [first, ...rest] = runCli(['report', 'k.spprof'], { cwd: folder }).stdout.split('\n');
  expect(first).toMatch(/^your code /);
  expect(rest.join('\n')).not.toMatch(/v8::internal|node::/);
  expect(fs.readFileSync(path.join(folder, 'k.md'), 'utf8')).toMatch(/\nyour code /);
  expect(runCli(['report', '--engine', 'k.spprof'], { cwd: folder }).stdout).toMatch(/\nended {4}exit in /);
  const tree = runCli(['report', '--tree', 'k.spprof'], { cwd: folder }).stdout;
  expect(tree).toMatch(/\(main script\)/);
  expect(tree).not.toMatch(/_start|JSEntry/);
});

test('--view full has every frame, and both views have the same sums', () => {
  const tree = runCli(['report', '--tree', '--view', 'full', 'k.spprof'], { cwd: folder }).stdout;
  expect(tree).toMatch(/JSEntry/);
  const full = profile.inView('full');
  const sumOf = (rows) => rows.reduce((sum, { selfNs }) => sum + selfNs, 0);
  expect(sumOf(profile.functions)).toBe(sumOf(full.functions));
  expect(full.functions.some(({ kind }) => kind === 'builtin')).toBe(true);
  expect(profile.toCollapsed()).not.toMatch(/JSEntry/);
  expect(profile.toCollapsed({ view: 'full' })).toMatch(/JSEntry/);
  const convert = (...args) => runCli(['convert', 'k.spprof', ...args], { cwd: folder });
  expect(convert('-o', 'full.folded', '--view', 'full').status).toBe(0);
  const textOf = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
  expect(textOf('full.folded')).toMatch(/JSEntry/);
  expect(textOf('k.folded')).not.toMatch(/JSEntry/);
  expect(textOf('k.folded')).toMatch(/;\(main script\);/);
  expect(textOf('k.cpuprofile')).not.toMatch(/JSEntry/);
  convert('-o', 'full.speedscope.json', '-o', 'program.speedscope.json');
  expect(textOf('full.speedscope.json')).toMatch(/JSEntry/);
  convert('-o', 'program.speedscope.json', '--view', 'program');
  expect(textOf('program.speedscope.json')).not.toMatch(/JSEntry/);
});

test('a file in one view is compared with the recording in that view', () => {
  runCli(['convert', 'k.spprof', '-o', 'all.folded', '--view', 'full'], { cwd: folder });
  for (const file of ['k.folded', 'all.folded']) {
    const rows = JSON.parse(runCli(['diff', '--json', 'k.spprof', file], { cwd: folder }).stdout);
    // Collapsed stacks do not hold the columns that tell functions without a name apart.
    const named = rows.filter(({ functionName }) => functionName !== '(anonymous)');
    const changed = named.filter((row) => Math.abs(row.selfChange) + Math.abs(row.totalChange) > 0.001);
    expect([file, changed.map(({ functionName }) => functionName)]).toEqual([file, []]);
  }
});

test('a session can ask for the program view', async () => {
  const spin = () => {
    let sum = 0;
    for (const end = process.cpuUsage().user + 200_000; process.cpuUsage().user < end; )
      sum += JSON.stringify(sum).length;
    return sum;
  };
  const { profile: own } = await spprof.profile(spin, { view: 'program', intervalUs: 1000 });
  expect(own.functions.length).toBeGreaterThan(0);
  expect(own.functions.filter(({ kind }) => kind === 'builtin')).toEqual([]);
  expect(own.inView('full').functions.some(({ kind }) => kind === 'builtin')).toBe(true);
  expect(own.cpuNs).toBe(own.inView('full').cpuNs);
});

test('an unknown view is refused', () => {
  const { status, stderr: message } = runCli(['report', '--view', 'programm', 'k.spprof'], { cwd: folder });
  expect([status, message]).toEqual([
    2,
    expect.stringMatching(/--view must be one of 'program', 'full'.*did you mean program/),
  ]);
  expect(() => profile.inView(/** @type {any} */ ('all'))).toThrow(
    expect.objectContaining({ code: 'ERR_SPPROF_OPTION_RANGE' }),
  );
});
