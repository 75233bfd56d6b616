'use strict';

/**
 * `node run-target.js <target> <seeds> <work file> <seed number> <seconds>`, or `<target> --input <file>`: runs one target. Each input is written to the work
 * file before it is tried, so that it is there when this process hangs or dies. Prints a line of JSON every two
 * seconds and at the end, and ends at SIGTERM.
 * Status 3: an error that is none for the user.
 */

const fs = require('node:fs');
const path = require('node:path');
const { setImmediate } = require('node:timers/promises');
const { Random } = require('./mutators');
const { Reach } = require('./reach');
const { TARGETS, isCoded } = require('./targets');

/** How often a line says how far it is. */
const REPORT_MS = 2000;

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

/** One line of JSON. @param {object} progress */
function report(progress) {
  const seconds = process.cpuUsage();
  fs.writeSync(1, `${JSON.stringify({ ...progress, seconds: (seconds.user + seconds.system) / 1e6 })}\n`);
}

/** @param {string[]} words target, seeds, work file, seed number, seconds */
async function fuzz([name, folder, file, seed, seconds]) {
  const reached = `${file}.reach`;
  const reach = new Reach(path.join(__dirname, '..', '..', '..', 'lib'), reached);
  report({ executions: 0, reached: reach.known() });
  const target = TARGETS[name];
  const seeds = readSeeds(folder, target.seeds);
  const end = performance.now() + Number(seconds) * 1000;
  let isEnded = false;
  process.on('SIGTERM', () => {
    isEnded = true;
  });
  let [executions, nextReport] = [0, 0];
  let problem = null;
  while (problem === null && !isEnded && performance.now() < end) {
    const random = new Random(Number(seed) + executions++);
    fs.writeFileSync(file, target.mutate(random.of(seeds), random));
    problem = await tryInput(target, file);
    if (performance.now() < nextReport) continue;
    report({ executions, reached: reach.count(), problem });
    nextReport = performance.now() + REPORT_MS;
    await setImmediate(); // Signals arrive in turns of the event loop.
  }
  report({ executions, reached: reach.count(), problem });
  reach.write(reached);
  process.exitCode = problem === null ? 0 : 3;
}

async function main() {
  const [name, option, file] = process.argv.slice(2);
  if (option !== '--input') return fuzz(process.argv.slice(2));
  const problem = await tryInput(TARGETS[name], file);
  process.stdout.write(`${problem ?? 'the input does no harm'}\n`);
  process.exitCode = problem === null ? 0 : 3;
}

main();
