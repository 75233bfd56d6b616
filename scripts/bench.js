'use strict';

/** `npm run bench`: builds and runs the core's benchmarks, then the paired overhead of a whole recording. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, run } = require('./tools');

const FOLDER = path.join(ROOT, 'build', 'bench');

/** @returns {number} exit status */
function bench() {
  const jobs = String(os.cpus().length);
  const status =
    run('cmake', ['--preset', 'bench']) || run('cmake', ['--build', '--preset', 'bench', '--parallel', jobs]);
  if (status !== 0) return status;
  const programs = fs.readdirSync(FOLDER).filter((name) => name.endsWith('_bench'));
  for (const name of programs) {
    const failed = run(path.join(FOLDER, name), ['--benchmark_min_time=0.2s']);
    if (failed !== 0) return failed;
  }
  const ticks = run(path.join(FOLDER, 'tick_cost'), []);
  if (ticks !== 0) return ticks;
  return run(process.execPath, [path.join(ROOT, 'bench', 'overhead.js')]);
}

process.exitCode = bench();
