'use strict';

/**
 * What every antagonist is made of: a round that is the same for the same seed. `node <program> <seconds> <seed>` runs
 * rounds until the time is over, compares each with the first, prints the first's checksum and ends with the program's own
 * exit status; 70 when a round came out differently or threw.
 *
 * @typedef {object} Antagonist
 * @property {number} exitStatus
 * @property {(seed: number) => number | Promise<number>} round its checksum
 * @property {(status: number) => void} [end] how the process ends; default: by itself
 */

const WRONG = 70;

/** Marsaglia's xorshift32. @param {number} seed @returns {() => number} unsigned, 32 bits */
function randomOf(seed) {
  let x = seed >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x;
  };
}

/** Joins a value to a checksum. @param {number} sum @param {number} value */
function join(sum, value) {
  return (Math.imul(sum, 0x01000193) ^ value) >>> 0;
}

/** @param {Antagonist} antagonist @param {number} seconds @param {number} seed */
async function repeat({ round }, seconds, seed) {
  const until = performance.now() + seconds * 1000;
  const expected = await round(seed);
  let rounds = 1;
  for (; performance.now() < until; rounds++) {
    const sum = await round(seed);
    if (sum !== expected) throw new Error(`round ${rounds + 1} of seed ${seed}: ${sum}, not ${expected}`);
    // One turn of the event loop between rounds, whatever a round is made of.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { expected, rounds };
}

/**
 * Runs an antagonist when its file is the program.
 * @param {NodeJS.Module} module of the caller
 * @param {Antagonist} antagonist
 */
async function main(module, antagonist) {
  module.exports = antagonist;
  if (require.main !== module) return;
  const [seconds, seed] = process.argv.slice(2).map(Number);
  try {
    const { expected } = await repeat(antagonist, seconds, seed);
    require('node:fs').writeSync(1, `checksum ${expected}\n`);
    process.exitCode = antagonist.exitStatus;
    antagonist.end?.(antagonist.exitStatus);
  } catch (error) {
    require('node:fs').writeSync(1, `wrong: ${error instanceof Error ? error.stack : error}\n`);
    process.exit(WRONG);
  }
}

module.exports = { main, randomOf, join };
