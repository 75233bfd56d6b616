'use strict';

/**
 * A program that uses SIGPROF itself and calls `start()`: `sigprof-listener.js <listener|addon> <before|after>` installs its
 * own before or after `start()`. Prints how many signals it sent itself, how often it was called, and the samples taken.
 */

const { loadFixture } = require('../../fixtures/native-addon/build');
const spprof = require('../../../lib/index');

const SENT = 20;
const fixture = loadFixture();
const [kind, order] = process.argv.slice(2);
let called = 0;
/** @type {(() => void) | null} */
let next = null;

function install() {
  if (kind === 'addon') fixture.installSigprof(order === 'after' ? 1 : 0);
  else
    process.on('SIGPROF', () => {
      called++;
      next?.();
    });
}

/** Sends one and waits for the listener. */
function send() {
  if (kind === 'addon') {
    // A standard signal is not queued: one that is raised while a tick is pending becomes one with it (signal(7)). Again, then.
    const before = fixture.foreignCount();
    for (let tries = 0; fixture.foreignCount() === before && tries < 100; tries++) fixture.raiseSigprof(1);
    return Promise.resolve();
  }
  const arrived = new Promise((resolve) => {
    next = () => resolve(undefined);
  });
  process.kill(process.pid, 'SIGPROF');
  return arrived;
}

async function run() {
  const alive = setInterval(() => {}, 1000);
  if (order === 'before') install();
  const session = spprof.start({ intervalUs: 100, signal: 'SIGPROF' });
  if (order === 'after') install();
  for (let i = 0; i < SENT; i++) {
    fixture.burn(10);
    await send();
  }
  fixture.burn(50);
  const beforeStop = kind === 'addon' ? fixture.foreignCount() : called;
  const profile = await session.stop();
  await send();
  clearInterval(alive);
  const afterStop = kind === 'addon' ? fixture.foreignCount() : called;
  const { sampleCount, stats } = profile;
  process.stdout.write(
    `${JSON.stringify({ sent: SENT, beforeStop, afterStop, sampleCount, warnings: stats.warnings })}\n`,
  );
  process.exitCode = 54;
}

run();
