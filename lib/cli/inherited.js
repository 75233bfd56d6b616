'use strict';

const fs = require('node:fs');

/**
 * What the command itself has been given beside standard input, output and error, and the program is to have instead: open
 * descriptors under the same numbers, and the channel of a parent that is Node.js. Node.js closes both to the children of a process
 * unless they are asked for.
 */

/** Descriptors that every Node.js process opens for itself. */
const OWN_KINDS = /^(anon_inode:|\/dev\/null$|\/proc\/)/;

/** O_CLOEXEC, as /proc/<pid>/fdinfo shows it, octal. */
const CLOSE_ON_EXEC = 0o2000000;

/** Whether the program would not have it by itself. @param {string} name of a descriptor */
function isClosedOnExec(name) {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    return false; // closed by now
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
 * Descriptors above 2 that this process was started with, and that Node.js has marked as its own. Those that are its own are told by
 * what they are: its pipes have both ends here.
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
  const isOwnPipe = (/** @type {string} */ target) =>
    target.startsWith('pipe:') && open.filter((each) => each.fd > 2 && each.target === target).length > 1;
  return open
    .filter(({ fd, target }) => fd > 2 && target !== '' && !OWN_KINDS.test(target) && !isOwnPipe(target))
    .filter(({ fd }) => isClosedOnExec(String(fd)))
    .map(({ fd }) => fd);
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
