'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { codeOf } = require('../../base/errors');
const { loadBinding } = require('../../native/binding');
const { processFolders } = require('../collect');
const { LISTENING, tcpSockets } = require('./tcp-sockets');

/**
 * `--on-port <command>`: runs a load when the recorded program begins to listen, and ends the program when the load has ended.
 * That it listens, the kernel tells (/proc/<pid>/net/tcp, and whose sockets those are): nothing in the program is touched.
 */

const POLL_MS = 50;
/** After so long without an end the program gets the next signal. */
const PATIENCE_MS = 5000;
const ENDING = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGKILL']);
/** The inodes of a process's sockets. @param {number} pid @returns {Set<string>} */
function socketsOf(pid) {
  const sockets = new Set();
  try {
    for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) sockets.add(inode);
    }
  } catch {
    return sockets; // A descriptor, or the process, has gone meanwhile; the next look sees what is there then.
  }
  return sockets;
}

/**
 * The port of a process's debugger, which the preload has left; null: it has none.
 * @param {string} folder of the process
 */
function debuggerPort(folder) {
  const file = path.join(folder, 'debugger-port');
  return fs.existsSync(file) ? Number(fs.readFileSync(file, 'latin1')) : null;
}

/**
 * The first TCP port that a process listens on.
 * @param {number} pid
 * @param {number | null} [ignored]
 * @returns {number | null}
 */
function listeningPort(pid, ignored = null) {
  const sockets = socketsOf(pid);
  for (const { local, state, inode } of tcpSockets(pid)) {
    if (state !== LISTENING || !sockets.has(inode)) continue;
    const port = Number.parseInt(local.split(':').at(-1) ?? '', 16);
    if (port !== ignored) return port;
  }
  return null;
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function sendTo(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error; // It has ended meanwhile.
  }
}

/**
 * @param {string} command for the shell; `$PORT` is the port
 * @param {number} port
 * @param {Record<string, string | undefined>} env the program's own, without what makes it record itself
 * @returns {Promise<number>} exit status
 */
function runLoad(command, port, env) {
  return new Promise((resolve, reject) => {
    const load = spawn('/bin/sh', ['-c', command], { stdio: 'inherit', env: { ...env, PORT: String(port) } });
    load.once('error', reject);
    load.once('exit', (code, signal) =>
      resolve(code ?? 128 + require('node:os').constants.signals[signal ?? 'SIGTERM']),
    );
  });
}

/**
 * @param {object} recorded
 * @param {string} recorded.command
 * @param {string} recorded.folder of the recording: its processes are the ones that may listen
 * @param {import('node:child_process').ChildProcess} recorded.child
 * @param {import('../run').Io} recorded.io
 * @returns {{ hasEndedProgram: () => boolean, failure: () => string | null }}
 */
function loadOnPort({ command, folder, child, io }) {
  /** @type {'waits' | 'loads' | 'ended'} */
  let phase = 'waits';
  let status = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;

  let listener = { pid: 0, folder: '' };
  const attempts = { listener: 0, command: 0 };

  /** The process that listens comes first: npm or a shell in front of it passes no signal on, and ends when it has ended. */
  const endProgram = () => {
    const isListenerAlive = loadBinding().processState(listener.folder) === 'alive';
    const attempt = isListenerAlive ? attempts.listener++ : attempts.command++;
    const signal = ENDING[Math.min(attempt, ENDING.length - 1)];
    if (isListenerAlive) sendTo(listener.pid, signal);
    else child.kill(signal);
    timer = setTimeout(endProgram, PATIENCE_MS);
  };
  const look = async () => {
    // `program` is what the preload writes last.
    const ready = processFolders(folder).filter((each) => fs.existsSync(path.join(each.folder, 'program')));
    const listening = ready.map((each) => ({
      ...each,
      port: listeningPort(each.pid, debuggerPort(each.folder)),
    }));
    const found = listening.find(({ port }) => port !== null);
    if (found === undefined || found.port === null) return;
    clearInterval(poll);
    phase = 'loads';
    status = await runLoad(command, found.port, io.env);
    phase = 'ended';
    listener = found;
    if (child.exitCode === null && child.signalCode === null) endProgram();
  };
  const poll = setInterval(() => {
    look().catch((error) => io.stderr.write(`spprof: the load of --on-port cannot be run: ${error.message}\n`));
  }, POLL_MS);
  child.once('exit', () => {
    clearInterval(poll);
    clearTimeout(timer);
  });
  return {
    hasEndedProgram: () => phase === 'ended',
    failure() {
      if (phase === 'waits')
        return 'the program ended before it listened on a TCP port; the load of --on-port was not run';
      if (phase === 'loads') return 'the program ended while the load of --on-port was running';
      return status === 0 ? null : `the load of --on-port ended with status ${status}`;
    },
  };
}

module.exports = { loadOnPort, listeningPort };
