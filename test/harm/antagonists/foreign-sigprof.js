'use strict';

/**
 * Another user of SIGPROF, in an addon: a handler that calls the one before it (as good neighbours do), a profiling timer
 * of its own, signals raised by hand. Each signal that is raised by hand arrives at its handler.
 */

const { loadFixture } = require('../../fixtures/native-addon/build');
const { join, main } = require('./harness');

const fixture = loadFixture();
let isInstalled = false;

/** @param {number} seed */
function round(seed) {
  if (!isInstalled) fixture.installSigprof(1);
  isInstalled = true;
  fixture.profilingTimer(500);
  let sum = join(seed, fixture.mix(seed, 20_000_000));
  fixture.profilingTimer(0);
  const before = fixture.foreignCount();
  fixture.raiseSigprof(1000);
  sum = join(sum, fixture.foreignCount() - before >= 1000 ? 1 : 0);
  return sum;
}

main(module, { exitStatus: 49, round });
