'use strict';

const { ESTABLISHED, tcpSockets } = require('./tcp-sockets');

/**
 * Which user is at the other end of a connection over the loopback address. The kernel lists every TCP socket of this machine with
 * its owner (/proc/net/tcp, tcp6), so that a page can be given to this user's browser by an address that holds no secret: addresses
 * stand in command lines, which every user can read.
 */

/**
 * An address as the tables have it, of IPv4 and of IPv4 in IPv6, each word in the machine's order.
 * @param {number} port
 * @returns {string[]}
 */
function loopbackNames(port) {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const ipv4 = new Uint32Array(Uint8Array.of(127, 0, 0, 1).buffer)[0].toString(16).toUpperCase().padStart(8, '0');
  const mapped = new Uint32Array(Uint8Array.of(0, 0, 0xff, 0xff).slice().buffer)[0].toString(16).toUpperCase();
  return [`${ipv4}${suffix}`, `${'0'.repeat(16)}${mapped.padStart(8, '0')}${ipv4}${suffix}`];
}

/**
 * @param {import('node:net').Socket} socket of a server on 127.0.0.1
 * @returns {number | null} null: not known
 */
function peerUser({ remotePort, localPort }) {
  if (remotePort === undefined || localPort === undefined) return null;
  const [from, to] = [loopbackNames(remotePort), loopbackNames(localPort)];
  for (const { local, remote, state, uid } of tcpSockets('self')) {
    // A socket that is being closed has no owner any more.
    if (state === ESTABLISHED && from.includes(local) && to.includes(remote)) return Number(uid);
  }
  return null;
}

module.exports = { peerUser };
