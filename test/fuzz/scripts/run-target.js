'use strict';

/**
 * `node run-target.js <target> <seeds> <work file> <seed number> <seconds>`, or `<target> --input <file>`: runs one target. Each input is written to the work
 * file before it is tried, so that it is there when this process hangs or dies. Prints a line of JSON at the end.
 * Status 3: an error that is none for the user.
 */

const fs = require('node:fs');
const path = require('node:path');
const { Random } = require('./mutators');
const { TARGETS, isCoded } = require('./targets');

/** @param {import('./targets').Target} target @param {string} file @returns {Promise<string | null>} what is wrong */
async function tryInput(target, file) {
  try {
    await target.run(file);
  } catch (error) {
    if (!isCoded(error)) return error instanceof Error ? String(error.stack) : String(error);
  }
  return null;
}

/** @param {string} folder @param {RegExp} pattern */
function readSeeds(folder, pattern) {
  const names = fs.readdirSync(folder).filter((name) => pattern.test(name));
  if (names.length === 0) throw new Error(`no seeds ${pattern} in ${folder}`);
  return names.sort().map((name) => fs.readFileSync(path.join(folder, name)));
}

async function main() {
  const [name, folder, file, seed, seconds] = process.argv.slice(2);
  const target = TARGETS[name];
  if (folder === '--input') {
    const problem = await tryInput(target, file);
    process.stdout.write(`${problem ?? 'the input does no harm'}\n`);
    process.exitCode = problem === null ? 0 : 3;
    return;
  }
  const seeds = readSeeds(folder, target.seeds);
  const end = performance.now() + Number(seconds) * 1000;
  let executions = 0;
  let problem = null;
  while (problem === null && performance.now() < end) {
    const random = new Random(Number(seed) + executions++);
    fs.writeFileSync(file, target.mutate(random.of(seeds), random));
    problem = await tryInput(target, file);
  }
  process.stdout.write(`${JSON.stringify({ executions, problem })}\n`);
  process.exitCode = problem === null ? 0 : 3;
}

main();
