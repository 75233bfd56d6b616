'use strict';

/** A library that is loaded, called and unloaded without end, beside threads that walk its frames. */

const { build, loadFixture } = require('../../fixtures/native-addon/build');
const { join, main } = require('./harness');

const fixture = loadFixture();
const { plugin } = build();

/** @param {number} seed */
function round(seed) {
  return join(seed, fixture.loadLoop(/** @type {any} */ (plugin), seed, 300));
}

main(module, { exitStatus: 52, round });
