'use strict';

const fs = require('node:fs');

/**
 * What the command itself has been given beside standard input, output and error, and the program is to have instead: open
 * descriptors under the same numbers, and the channel of a parent that is Node.js. Node.js closes both to the children of a process
 * unless they are asked for.
 */

/** What every Node.js process opens for itself; of `/dev/null` one, to read. Pipes too, of which it has both ends. */
const OWN_KINDS = /^(anon_inode:\[(eventpoll|eventfd|io_uring)\]|\/proc\/)/;

/** The first of them in every version. */
const FIRST_KIND = 'anon_inode:[eventpoll]';

/** O_CLOEXEC, as /proc/<pid>/fdinfo shows it, octal. */
const CLOSE_ON_EXEC = 0o2000000;

/** O_WRONLY and O_RDWR. */
const MAY_WRITE = 0o3;

/** Flags of an open descriptor; 0: it is closed by now. @param {number} fd */
function flagsOf(fd) {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
    return Number.parseInt(flags, 8);
  } catch {
    return 0;
  }
}

/** @param {string} link */
function targetOf(link) {
  try {
    return fs.readlinkSync(link);
  } catch {
    return ''; // the descriptor of the listing itself, closed by now
  }
}

/**
 * Whether Node.js has opened a descriptor itself, as far as what it is tells.
 * @param {{ fd: number, target: string }} descriptor
 * @param {{ fd: number, target: string }[]} all
 */
function isOwnKind({ fd, target }, all) {
  const alike = all.filter((each) => each.fd > 2 && each.target === target);
  if (target === '/dev/null') return alike.length === 1 && (flagsOf(fd) & MAY_WRITE) === 0;
  return OWN_KINDS.test(target) || (target.startsWith('pipe:') && alike.length > 1);
}

/**
 * Descriptors above 2 that this process was started with, and that Node.js has marked as its own. The system gives the lowest number
 * that is free, so all below the first of Node.js were there before, of whatever kind. Of those above, what they are decides.
 * @returns {number[]}
 */
function inheritedDescriptors() {
  /** @type {string[]} */
  let names;
  try {
    names = fs.readdirSync('/proc/self/fd');
  } catch {
    return []; // no /proc, and no way to know
  }
  const open = names.map((name) => ({ fd: Number(name), target: targetOf(`/proc/self/fd/${name}`) }));
  const firstOwn = Math.min(...open.filter(({ target }) => target === FIRST_KIND).map(({ fd }) => fd));
  return open
    .filter((each) => each.fd > 2 && each.target !== '' && (each.fd < firstOwn || !isOwnKind(each, open)))
    .map(({ fd }) => fd)
    .filter((fd) => (flagsOf(fd) & CLOSE_ON_EXEC) !== 0);
}

/** The environment that this process was started with: Node.js removes its channel's variables. */
function initialEnvironment() {
  try {
    const entries = fs.readFileSync('/proc/self/environ', 'utf8').split('\0');
    return new Map(entries.map((entry) => /** @type {[string, string]} */ (entry.split(/=(.*)/s, 2))));
  } catch {
    return new Map(); // no /proc
  }
}

/**
 * What `spawn` needs so that the program has what this process was given. `handOver` is called when it has been started, before the
 * event loop runs: a message that is read here would be lost to the program.
 * @returns {{ stdio: ('inherit' | 'ignore')[], env: Record<string, string>, handOver: () => void }}
 */
function inherited() {
  const descriptors = new Set(inheritedDescriptors());
  /** @type {Record<string, string>} */
  const env = {};
  const initial = process.connected ? initialEnvironment() : new Map();
  const channel = Number(initial.get('NODE_CHANNEL_FD') ?? Number.NaN);
  if (descriptors.has(channel)) {
    for (const name of ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE']) {
      if (initial.has(name)) env[name] = initial.get(name);
    }
  }
  const last = Math.max(2, ...descriptors);
  const stdio = Array.from({ length: last + 1 }, (_, fd) => (fd <= 2 || descriptors.has(fd) ? 'inherit' : 'ignore'));
  return {
    stdio: /** @type {('inherit' | 'ignore')[]} */ (stdio),
    env,
    handOver() {
      if (env.NODE_CHANNEL_FD !== undefined) process.disconnect?.();
    },
  };
}

module.exports = { inherited };
