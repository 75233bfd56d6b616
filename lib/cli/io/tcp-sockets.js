'use strict';

const fs = require('node:fs');

/** TCP_ESTABLISHED and TCP_LISTEN of the kernel's include/net/tcp_states.h. */
const ESTABLISHED = '01';
const LISTENING = '0A';

/** @param {string} file @returns {string[]} lines; none where the process has gone, or has no IPv6 */
function linesOf(file) {
  try {
    return fs.readFileSync(file, 'latin1').split('\n');
  } catch {
    return [];
  }
}

/**
 * The TCP sockets that the kernel lists in a process's network, of all users (proc(5), /proc/net/tcp and tcp6). Addresses are in the
 * machine's order: `0100007F:1F90`.
 * @param {number | 'self'} pid
 * @returns {Generator<{ local: string, remote: string, state: string, uid: string, inode: string }>}
 */
function* tcpSockets(pid) {
  for (const table of ['tcp', 'tcp6']) {
    for (const line of linesOf(`/proc/${pid}/net/${table}`)) {
      const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/);
      if (inode !== undefined) yield { local, remote, state, uid, inode };
    }
  }
}

module.exports = { ESTABLISHED, LISTENING, tcpSockets };
