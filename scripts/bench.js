'use strict';

/**
 * `npm run bench`: builds and runs the core's benchmarks, prints their figures beside the targets, then measures the
 * paired overhead of a whole recording. `--docs`: writes the figures into docs/measurements.md. `--core`: without what
 * comes after them.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { figuresOf, markdownOf, tableOf } = require('./bench-figures');
const { ROOT, run } = require('./tools');

const FOLDER = path.join(ROOT, 'build', 'bench');
const DOCUMENT = path.join(ROOT, 'docs', 'measurements.md');
const BEGIN = '<!-- figures of npm run bench -- --docs -->';
const END = '<!-- end of the figures -->';

/** @param {import('./bench-figures').Figure[]} figures */
function writeDocument(figures) {
  const text = fs.readFileSync(DOCUMENT, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no place for the figures`);
  fs.writeFileSync(DOCUMENT, `${text.slice(0, begin + BEGIN.length)}\n\n${markdownOf(figures)}\n\n${text.slice(end)}`);
}

/**
 * Runs one program, which prints its own table.
 * @param {string} name
 * @param {string} folder for its report
 * @returns {{ status: number, rows: import('./bench-figures').Row[] }}
 */
function runOne(name, folder) {
  const report = path.join(folder, `${name}.json`);
  // A plain number of seconds: the versions before 1.8 know no other.
  const options = ['--benchmark_min_time=0.2', `--benchmark_out=${report}`, '--benchmark_out_format=json'];
  const status = run(path.join(FOLDER, name), options);
  return { status, rows: status === 0 ? JSON.parse(fs.readFileSync(report, 'utf8')).benchmarks : [] };
}

/** @param {string[]} args @returns {number} exit status */
function bench(args) {
  const jobs = String(os.cpus().length);
  const status =
    run('cmake', ['--preset', 'bench']) || run('cmake', ['--build', '--preset', 'bench', '--parallel', jobs]);
  if (status !== 0) return status;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-bench-'));
  /** @type {import('./bench-figures').Row[]} */
  const rows = [];
  for (const name of fs.readdirSync(FOLDER).filter((each) => each.endsWith('_bench'))) {
    const one = runOne(name, folder);
    if (one.status !== 0) return one.status;
    rows.push(...one.rows);
  }
  fs.rmSync(folder, { recursive: true });
  const figures = figuresOf(rows);
  process.stdout.write(`\n${tableOf(figures)}\n\n`);
  if (args.includes('--docs')) writeDocument(figures);
  if (args.includes('--core')) return 0;
  return run(path.join(FOLDER, 'tick_cost'), []) || run(process.execPath, [path.join(ROOT, 'bench', 'overhead.js')]);
}

process.exitCode = bench(process.argv.slice(2));
