'use strict';

/**
 * Another user of SIGSEGV and SIGBUS, in an addon: a handler that knows one page of its own, does not call the one before it,
 * and ends the process at any other fault, as reporters of crashes do. Beside it code is made, collected and run.
 */

const { loadFixture } = require('../../fixtures/native-addon/build');
const { round: churn } = require('./code-churn');
const { join, main } = require('./harness');

const fixture = loadFixture();
let isInstalled = false;

/** @param {number} seed */
async function round(seed) {
  if (!isInstalled) fixture.installSigsegv();
  isInstalled = true;
  const before = fixture.ownFaults(0);
  let sum = join(seed, fixture.ownFaults(500) - before);
  sum = join(sum, await churn(seed));
  return join(sum, fixture.ownFaults(500) - before);
}

main(module, { exitStatus: 54, round });
