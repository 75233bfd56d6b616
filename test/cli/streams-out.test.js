'use strict';

/** Outputs that are no files of ours: standard output, the summary of a job's step, the summary as JSON in a file of its own. */

const fs = require('node:fs');
const path = require('node:path');
const { parseArguments } = require('../../lib/cli/arguments');
const { checkOutputs } = require('../../lib/cli/io/output-names');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const PROGRAM = 'console.error("warn"); console.log("out"); const end = Date.now() + 200; while (Date.now() < end);\n';
fs.writeFileSync(path.join(folder, 'w.js'), PROGRAM);

/** What a run leaves in a folder of its own. @param {string} name @param {string[]} args @param {Record<string, string>} [env] */
function run(name, args, env = {}) {
  const cwd = path.join(folder, name);
  fs.mkdirSync(cwd, { recursive: true });
  const { status, stdout, stderr } = runCli([...args, path.join(folder, 'w.js')], { cwd, env });
  return { status, stdout, stderr, files: fs.readdirSync(cwd).sort() };
}

test('--json=<file> keeps the summary apart from what the program writes', () => {
  const { status, stderr, files } = run('json', ['-q', '--json=summary.json', '-o', 'x.cpuprofile']);
  expect({ status, stderr, files }).toEqual({
    ...{ status: 0, stderr: 'warn\n' },
    files: ['summary.json', 'x.cpuprofile', 'x.spprof'],
  });
  const summary = JSON.parse(fs.readFileSync(path.join(folder, 'json', 'summary.json'), 'utf8'));
  expect(summary).toMatchObject({ exitCode: 0, processes: [{ program: 'w' }] });
});

test('a file that cannot be written is found before the program starts', () => {
  const { status, stdout, stderr } = run('nowhere', ['--json=missing/summary.json']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/cannot write .*missing\/summary\.json/);
});

test('-o - is standard output, and nothing is left beside it', () => {
  const { status, stdout, files } = run('dash', ['-q', '-o', '-', '-f', 'collapsed']);
  expect({ status, files }).toEqual({ status: 0, files: [] });
  expect(stdout).toMatch(/^out\n/);
  expect(stdout).toMatch(/^\[\S+ main tid=\d+ us\];.* \d+$/m);
  expect(run('dash', ['-o', '-'])).toMatchObject({ status: 2, stderr: expect.stringContaining('-f') });
});

test('a recording is converted from standard input to standard output', () => {
  run('pipe', ['-q', '-o', 'x.cpuprofile']);
  const { status, stdout } = runCli(['convert', 'x.spprof', '-o', '-', '-f', 'speedscope'], {
    cwd: path.join(folder, 'pipe'),
  });
  expect(status).toBe(0);
  expect(JSON.parse(stdout).profiles.length).toBeGreaterThan(0);
});

test('what earlier steps of a job have written stays', () => {
  const file = path.join(folder, 'step.md');
  fs.writeFileSync(file, '# Tests\n\nAll passed.\n');
  const { status, files } = run('step', ['-q', '-o', file, '-f', 'markdown'], { GITHUB_STEP_SUMMARY: file });
  expect({ status, files }).toEqual({ status: 0, files: [] });
  expect(fs.readFileSync(file, 'utf8')).toMatch(/^# Tests\n\nAll passed\.\n# Profile of process \d+\n/);
  expect(fs.readdirSync(folder).filter((name) => name.endsWith('.spprof'))).toEqual([]);
});

test('other verbs take no file with --json', () => {
  expect(() => parseArguments(['report', '--json=a', 'b.spprof'], {})).toThrow('--json takes no value');
  expect(() => parseArguments(['-q', '--json', 'a.js'], {})).toThrow('--json=<file>');
});

test('a stream needs no rights in the folder of its name', () => {
  const { accessSync } = fs;
  const spy = jest.spyOn(fs, 'accessSync').mockImplementation((name, mode) => {
    // As for a user who is not root.
    if (['/dev', '/dev/fd', '/proc/self/fd'].includes(String(name)))
      throw Object.assign(new Error(), { code: 'EACCES' });
    accessSync(name, mode);
  });
  try {
    for (const pattern of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/2', '/dev/null']) {
      expect(() => checkOutputs([{ pattern, format: 'collapsed' }])).not.toThrow();
    }
    expect(() => checkOutputs([{ pattern: '/dev/no-such', format: 'collapsed' }])).toThrow(
      /the folder \/dev: permission/,
    );
  } finally {
    spy.mockRestore();
  }
});
