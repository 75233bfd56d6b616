'use strict';

/** The package as a user gets it: packed, installed into an empty project, and used. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { cleanEnvironment, temporaryFolder } = require('../helpers/run-cli');

const ROOT = path.join(__dirname, '..', '..');
const folder = temporaryFolder();
const project = path.join(folder, 'project');

/** @param {string} command @param {string[]} args @param {string} cwd */
function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: cleanEnvironment() });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

let installed = { stdout: '', stderr: '' };

/** @param {string} place @returns {number} bytes */
function sizeOf(place) {
  const stat = fs.lstatSync(place);
  if (!stat.isDirectory()) return stat.size;
  return fs.readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0);
}

beforeAll(() => {
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{"name":"empty","private":true}');
  fs.writeFileSync(
    path.join(project, 'app.js'),
    'function appWork(ms) { for (const end = Date.now() + ms; Date.now() < end; ) Math.sqrt(end); }\nappWork(400);\n',
  );
  run('npm', ['pack', '--silent', '--pack-destination', folder], ROOT);
  const [tarball] = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  installed = run('npm', ['install', '--no-audit', '--no-fund', path.join(folder, tarball)], project);
}, 300_000);

test('installing it runs no script, and npm asks for none to be allowed', () => {
  const { scripts } = JSON.parse(fs.readFileSync(path.join(project, 'node_modules/spprof/package.json'), 'utf8'));
  // npm also warns of a `prepare` script, which it does not run, where a package comes from a file.
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(scripts).not.toHaveProperty(name);
  expect(`${installed.stdout}${installed.stderr}`).not.toMatch(/install.scripts/);
});

test('npx spprof records, in every format', () => {
  const names = ['cpuprofile', 'pb.gz', 'speedscope.json', 'html', 'collapsed', 'md', 'txt'].map((end) => `app.${end}`);
  run('npx', ['spprof', '-q', ...names.flatMap((name) => ['-o', name]), 'node', 'app.js'], project);
  for (const name of names) expect(fs.statSync(path.join(project, name)).size).toBeGreaterThan(200);
  expect(fs.readFileSync(path.join(project, 'app.collapsed'), 'utf8')).toMatch(/;appWork /);
});

test('a program requires and imports it', () => {
  const use = `start().stop().then(({ stats }) => console.log(stats.written >= 0))`;
  expect(run('node', ['-e', `const { start } = require('spprof'); ${use}`], project).stdout).toBe('true\n');
  expect(run('node', ['--input-type=module', '-e', `import { start } from 'spprof'; ${use}`], project).stdout).toBe(
    'true\n',
  );
});

test('it is 2 MB at most, and brings few packages', () => {
  const modules = path.join(project, 'node_modules');
  expect(sizeOf(path.join(modules, 'spprof'))).toBeLessThan(2 * 2 ** 20);
  const packages = fs.readdirSync(modules).flatMap((name) => {
    if (name.startsWith('.')) return [];
    return name.startsWith('@') ? fs.readdirSync(path.join(modules, name)) : [name];
  });
  expect(packages.length).toBeLessThanOrEqual(8);
});
