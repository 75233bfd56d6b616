'use strict';

/**
 * Works in `heavy` for 250 ms of CPU time, says so, notes the CPU time that it has used for that in the file CPU_FILE, and ends: `ends.js <how>`.
 * Only the first process notes; children work and end by themselves.
 */

const { spawn, spawnSync, fork } = require('node:child_process');
const fs = require('node:fs');
const { Worker, isMainThread } = require('node:worker_threads');

const begin = process.cpuUsage();
const [how] = process.argv.slice(2);

function heavy(/** @type {number} */ ms) {
  const begin = process.cpuUsage();
  let sum = 0;
  for (;;) {
    for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
    const { user, system } = process.cpuUsage(begin);
    if (user + system > ms * 1000) return sum;
  }
}

function note() {
  const { user, system } = process.cpuUsage(begin);
  if (process.env.CPU_FILE) fs.writeFileSync(process.env.CPU_FILE, String((user + system) / 1000));
  fs.writeSync(1, 'worked\n');
}

/** A signal to itself, and then nothing until it comes. */
function sendItself(/** @type {NodeJS.Signals} */ signal) {
  process.kill(process.pid, signal);
  setInterval(() => {}, 1000);
}

function endlessWorker() {
  const worker = new Worker(__filename, { argv: ['spin'] });
  return new Promise((resolve) => worker.once('online', () => setTimeout(resolve, 50, worker)));
}

/** Without NODE_OPTIONS' preload a child is not recorded: children inherit it. */
const childEnv = { ...process.env, CPU_FILE: '' };

/** @type {Record<string, () => unknown>} */
const ENDS = {
  natural: () => {},
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('uncaught');
  },
  reject: () => Promise.reject(new Error('unhandled')),
  abort: () => process.abort(),
  SIGINT: () => sendItself('SIGINT'),
  SIGTERM: () => sendItself('SIGTERM'),
  SIGHUP: () => sendItself('SIGHUP'),
  SIGKILL: () => sendItself('SIGKILL'),
  SIGSEGV: () => sendItself('SIGSEGV'),
  oom: () => {
    const hoard = [];
    for (;;) hoard.push(new Array(1e5).fill(0.5));
  },
  'own-SIGINT': () => {
    process.on('SIGINT', () => {
      fs.writeSync(1, 'interrupted\n');
      process.exit(9);
    });
    sendItself('SIGINT');
  },
  'own-SIGTERM': () => {
    process.once('SIGTERM', () => setTimeout(() => process.exit(8), 20));
    sendItself('SIGTERM');
  },
  'SIGTERM-ignored-then-exit': () => {
    process.on('SIGTERM', () => fs.writeSync(1, 'not yet\n'));
    sendItself('SIGTERM');
    setTimeout(() => process.exit(6), 50);
  },
  'worker-terminated': async () => {
    const worker = /** @type {Worker} */ (await endlessWorker());
    await worker.terminate();
  },
  'worker-alive': async () => {
    await endlessWorker();
    process.exit(4);
  },
  cluster: () => {
    const cluster = require('node:cluster');
    cluster.setupPrimary({ exec: __filename, args: ['exit'] });
    Object.assign(process.env, childEnv);
    let running = 2;
    cluster.on('exit', () => --running || process.exit(5));
    cluster.fork();
    cluster.fork();
  },
  fork: () => fork(__filename, ['exit'], { env: childEnv }).once('exit', (code) => process.exit(code ?? 1)),
  spawn: () =>
    spawn(process.execPath, [__filename, 'throw'], { env: childEnv, stdio: 'ignore' }).once('exit', (code) =>
      process.exit(code ?? 1),
    ),
  exec: () => {
    const { status } = spawnSync('/bin/sh', ['-c', `exec "${process.execPath}" "${__filename}" exit`], {
      env: childEnv,
    });
    process.exit(status ?? 1);
  },
  execve: () => {
    /** @type {any} */ (process).execve('/bin/sh', ['sh', '-c', 'echo replaced; exit 7'], childEnv);
  },
};

if (how === 'spin') {
  for (;;) heavy(1000);
} else if (isMainThread) {
  heavy(250);
  note();
  ENDS[how]();
}
