'use strict';

/** A program with listeners of its own; each signal that it sends itself calls its listener once. */

const { join, main, randomOf } = require('./harness');

const SIGNALS = /** @type {const} */ ([
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGUSR2',
  'SIGCHLD',
  'SIGALRM',
  'SIGPIPE',
  'SIGWINCH',
]);

/** Sends it and waits for its listener. @param {NodeJS.Signals} signal @returns {Promise<number>} how often it was called */
async function send(signal) {
  let count = 0;
  const listener = () => count++;
  process.on(signal, listener);
  const alive = setInterval(() => {}, 1000); // a signal listener alone does not keep the process
  const called = new Promise((resolve) => process.once(signal, resolve));
  process.kill(process.pid, signal);
  await called;
  await new Promise((resolve) => setImmediate(resolve));
  clearInterval(alive);
  process.removeListener(signal, listener);
  return count;
}

/** @param {number} seed */
async function round(seed) {
  const random = randomOf(seed);
  let sum = seed;
  for (let i = 0; i < 200; i++) {
    const signal = SIGNALS[random() % SIGNALS.length];
    sum = join(sum, await send(signal));
    for (let j = 0; j < 20_000; j++) sum = (Math.imul(sum, 33) + j) >>> 0;
  }
  return sum;
}

main(module, { exitStatus: 50, round });
