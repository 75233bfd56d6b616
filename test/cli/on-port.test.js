'use strict';

/** `--on-port`: a load when the program listens; and what a shell and `man` get. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const server = path.join(folder, 'server.js');
fs.writeFileSync(
  server,
  `const http = require('node:http');
  function handleRequest() { for (const end = Date.now() + 40; Date.now() < end; ) Math.sqrt(end); }
  http.createServer((request, response) => { handleRequest(); response.end('served'); }).listen(0, '127.0.0.1');\n`,
);
const LOAD = `${JSON.stringify(process.execPath)} -e '
  (async () => { for (let i = 0; i < 5; i++) process.stdout.write(await (await fetch("http://127.0.0.1:" + process.env.PORT)).text()); })()'`;

test('the load runs when the program listens, then the program is ended and its profile written', () => {
  const run = runCli(['-q', '-r', '1000', '-o', 'served.folded', '--on-port', LOAD, server], { cwd: folder });
  expect(run).toEqual({ status: 0, signal: null, stdout: 'served'.repeat(5), stderr: '' });
  expect(fs.readFileSync(path.join(folder, 'served.folded'), 'utf8')).toMatch(/handleRequest/);
});

test('a load that fails is told, with status 1; the profile is there all the same', () => {
  const run = runCli(['-q', '-o', 'failed.txt', '--on-port', 'exit 3', server], { cwd: folder });
  expect([run.status, run.stderr]).toEqual([1, 'spprof: the load of --on-port ended with status 3\n']);
  expect(fs.existsSync(path.join(folder, 'failed.txt'))).toBe(true);
});

test('a program that never listens is told too, and keeps its status', () => {
  const program = path.join(__dirname, '..', 'programs', 'busy.js');
  const run = runCli(['-q', '-o', 'never.txt', '--on-port', 'exit 0', program, '100', '7'], { cwd: folder });
  expect([run.status, run.stderr]).toEqual([7, expect.stringMatching(/ended before it listened on a TCP port/)]);
});

test('with npm in front of the server, the server is ended, its profile is written, and nothing is left running', () => {
  const own = path.join(folder, 'npm');
  fs.mkdirSync(own);
  fs.writeFileSync(
    path.join(own, 'package.json'),
    JSON.stringify({ name: 'x', version: '1.0.0', scripts: { start: `"${process.execPath}" server.js` } }),
  );
  fs.writeFileSync(
    path.join(own, 'server.js'),
    `require('node:fs').writeFileSync('pid', String(process.pid));\n${fs.readFileSync(server, 'utf8')}`,
  );
  const run = runCli(['-q', '-o', 'npm-%p.folded', '--on-port', LOAD, 'npm', 'start', '--silent'], { cwd: own });
  expect([run.status, run.stderr]).toEqual([0, '']);
  const pid = fs.readFileSync(path.join(own, 'pid'), 'utf8');
  expect(fs.existsSync(`/proc/${pid}`)).toBe(false);
  expect(fs.readdirSync(own)).toContain(`npm-${pid}.folded`);
});

test.each(['--inspect=0', '--inspect=127.0.0.1:0'])(
  'with %s the load gets the port of the server, not the debugger’s',
  (flag) => {
    const args = ['-q', '-o', 'inspected.folded', '--on-port', LOAD, '--', process.execPath, flag, server];
    expect(runCli(args, { cwd: folder }).stdout).toBe('served'.repeat(5));
  },
);

test('completion is a script that bash takes, with every verb and format', () => {
  const { stdout } = runCli(['completion', 'bash']);
  expect(spawnSync('bash', ['-n'], { input: stdout }).status).toBe(0);
  const complete = (/** @type {string[]} */ words) =>
    spawnSync(
      'bash',
      [
        '-c',
        `${stdout}\nCOMP_WORDS=(spprof ${words.join(' ')}); COMP_CWORD=${words.length}; _spprof; echo "\${COMPREPLY[*]}"`,
      ],
      { encoding: 'utf8' },
    ).stdout;
  expect(complete(['--format', 'sp'])).toBe('speedscope\n');
  expect(complete(['report', '--tr'])).toBe('--tree\n');
  expect(complete(['rep'])).toMatch(/^report/);
  expect(runCli(['completion', 'fish']).status).toBe(2);
});
