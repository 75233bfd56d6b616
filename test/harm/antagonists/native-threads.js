'use strict';

/** Many short threads of an addon, and a thread whose stack is 16 KiB. */

const { loadFixture } = require('../../fixtures/native-addon/build');
const { join, main } = require('./harness');

const fixture = loadFixture();

/** @param {number} seed */
function round(seed) {
  let sum = join(seed, fixture.shortThreads(seed, 400, 20_000));
  for (let i = 0; i < 3; i++) sum = join(sum, fixture.shortThreads(seed + i, 16, 3_000_000));
  return join(sum, fixture.tinyStack(seed, 60));
}

main(module, { exitStatus: 51, round });
