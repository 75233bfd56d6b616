'use strict';

/** Whether a recorded process lives is asked of its recording, not of its number: numbers are given again, and other namespaces have theirs. */

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { CLI, cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const REGISTER = path.join(__dirname, '..', '..', 'lib', 'register.js');
const BUSY =
  'const end = Date.now() + 200; let x = 0; while (Date.now() < end) x += Math.sqrt(x + 1); console.log("done");';

/** A PID namespace of its own, as a container has it; without root one of a user's own, where the kernel lets users have them. */
const UNSHARE = [
  ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ['unshare', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'],
].find(([command, ...args]) => spawnSync(command, [...args, 'true']).status === 0);

/** @param {() => void} body */
function inNamespace(body) {
  if (UNSHARE === undefined) process.stdout.write('NOT RUN: no PID namespace can be made here\n');
  else body();
}

test('a program in a PID namespace of its own is recorded as any other', () => {
  inNamespace(() => {
    const args = [.../** @type {string[]} */ (UNSHARE), process.execPath, '-e', BUSY];
    const run = runCli(['-o', 'own.cpuprofile', ...args], { cwd: folder });
    expect([run.status, run.stdout]).toEqual([0, 'done\n']);
    expect(run.stderr).not.toMatch(/still runs/);
    expect(fs.existsSync(path.join(folder, 'own.spprof'))).toBe(true);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith('.spprof-'))).toEqual([]);
  });
});

test('a recording whose number another process has by now is read', () => {
  const dir = path.join(folder, 'reused');
  spawnSync(process.execPath, ['--require', REGISTER, '-e', BUSY], { env: { ...cleanEnvironment(), SPPROF_DIR: dir } });
  const [name] = fs.readdirSync(dir);
  for (const [n, pid] of [process.pid, 1].entries()) {
    fs.cpSync(path.join(dir, name), path.join(dir, `${pid}-${n + 1}`), { recursive: true });
    for (const verb of [['report'], ['recover'], ['convert', '-o', `${n}.cpuprofile`]]) {
      expect(runCli([...verb, path.join(dir, `${pid}-${n + 1}`)], { cwd: folder })).toMatchObject({ status: 0 });
    }
  }
});

test('a process that runs is told from one that was killed, by every command', async () => {
  const dir = path.join(folder, 'killed');
  const env = { ...cleanEnvironment(), SPPROF_DIR: dir };
  const program = spawn(process.execPath, ['--require', REGISTER, '-e', `${BUSY} setInterval(() => {}, 1000)`], {
    env,
  });
  await once(program.stdout, 'data');
  const [name] = fs.readdirSync(dir);
  const own = path.join(dir, name);
  const verbs = [['report'], ['recover'], ['convert', '-o', 'killed.cpuprofile']];
  for (const verb of verbs) {
    const run = runCli([...verb, own], { cwd: folder });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(new RegExp(`process ${program.pid} still runs`));
  }
  program.kill('SIGKILL');
  await once(program, 'exit');
  for (const verb of verbs) expect(runCli([...verb, own], { cwd: folder })).toMatchObject({ status: 0 });
});

test('after a container has been killed its recording can be converted, as the guide says', async () => {
  if (UNSHARE === undefined) return inNamespace(() => {});
  const dir = path.join(folder, 'container');
  const env = { ...cleanEnvironment(), SPPROF_DIR: dir, NODE_OPTIONS: `"--require=${REGISTER}"` };
  const [command, ...args] = UNSHARE;
  const container = spawn(command, [...args, process.execPath, '-e', `${BUSY} setInterval(() => {}, 1000)`], { env });
  await once(container.stdout, 'data');
  container.kill('SIGKILL');
  await once(container, 'exit');
  const own = path.join(dir, '1-1');
  await untilConverted(own);
  expect(fs.existsSync(path.join(folder, 'container.html'))).toBe(true);
});

/** What `unshare` has started dies soon after it: until then its recording is refused. @param {string} own */
async function untilConverted(own) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    const convert = spawn(process.execPath, [CLI, 'convert', own, '-o', 'container.html'], { cwd: folder });
    const [status] = await once(convert, 'exit');
    if (status === 0) return;
    expect(status).toBe(2);
  }
  throw new Error('the recording was still refused after 30 s');
}
