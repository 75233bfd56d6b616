'use strict';

/** Fuzz targets of the core: libFuzzer with the sanitizers of addresses and undefined behaviour. */

const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { ROOT, capture } = require('../tools');
const { LOOK_MS, cpuSeconds } = require('./process-use');
const { begin, isQuiet, noGrowth, note } = require('./saturation');

const BUILD = path.join(ROOT, 'build/fuzz');
const SUFFIX = '_fuzz';
/** libFuzzer's bounds of one input, of wall time; the targets' own, of CPU time, are tighter (test/fuzz/fuzz_target.h). */
const LIMITS = ['-timeout=300', '-rss_limit_mb=3072', '-max_len=65536', '-print_final_stats=1'];

const NATIVE_TARGETS = fs
  .readdirSync(path.join(ROOT, 'test/fuzz'))
  .filter((name) => name.endsWith(`${SUFFIX}.cc`))
  .map((name) => name.slice(0, -`${SUFFIX}.cc`.length).replaceAll('_', '-'));

/** @param {string} name */
function programOf(name) {
  return path.join(BUILD, name.replaceAll('-', '_') + SUFFIX);
}

/** Why the targets cannot be built here; null: they can. @returns {string | null} */
function whyNotBuilt() {
  const { status, stdout } = capture('clang++', ['-print-file-name=libclang_rt.fuzzer-x86_64.a']);
  if (status !== 0) return 'clang++ is missing (Debian: clang)';
  return path.isAbsolute(stdout.trim()) ? null : "clang's fuzzer runtime is missing (Debian: libclang-rt-14-dev)";
}

/** @param {string[]} names */
function buildTargets(names) {
  const jobs = String(require('node:os').cpus().length);
  const targets = names.map((name) => path.basename(programOf(name)));
  for (const args of [
    ['--preset', 'fuzz'],
    ['--build', '--preset', 'fuzz', '--parallel', jobs, '--target', ...targets],
  ]) {
    const { status, output } = capture('cmake', args);
    if (status !== 0) throw new Error(`cmake ${args.join(' ')} failed:\n${output.slice(-4000)}`);
  }
}

/** What a line of libFuzzer says: `#1024 NEW cov: 120 ft: 300 …`. */
const PROGRESS = /^#(\d+)\s+(\w+)\s+cov: (\d+)/;
/** libFuzzer ends with its statistics, and status 0. */
const END_SIGNAL = 'SIGUSR1';

/** @param {string} name @param {import('./targets').Folders} folders @returns {string[]} of its inputs: those that it keeps first */
function corpusFolders(name, { folder, seeds }) {
  const [corpus, own] = ['corpus', 'seeds'].map((part) => path.join(folder, part, name));
  for (const each of [corpus, own]) fs.mkdirSync(each, { recursive: true });
  const environment = { ...process.env, SPPROF_FUZZ_SEEDS: own };
  const made = spawnSync(programOf(name), { env: environment, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`${name}: the seeds could not be made: ${made.stderr}`);
  if (name === 'log') copyLogs(seeds, own);
  return [corpus, own];
}

/**
 * @param {string} name
 * @param {import('./targets').RoundSettings} settings
 * @returns {Promise<import('./saturation').Round>}
 */
async function runNativeTarget(name, { seconds, seed, quiet, folders }) {
  const program = programOf(name);
  const artifacts = `-artifact_prefix=${path.join(folders.findings, `${name}-`)}`;
  // In rounds the bound is of CPU time, which is looked at here; libFuzzer's own is of wall time.
  const bound = quiet === null ? [`-max_total_time=${seconds}`] : [];
  const child = spawn(program, [...bound, `-seed=${seed}`, artifacts, ...LIMITS, ...corpusFolders(name, folders)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const growth = noGrowth();
  let [text, executions, used] = ['', 0, 0];
  const look = () => {
    used = cpuSeconds(Number(child.pid)) || used;
  };
  readline.createInterface({ input: child.stderr }).on('line', (line) => {
    look();
    const [, number, what, edges] = PROGRESS.exec(line) ?? [];
    if (what === 'INITED') begin(growth, Number(edges));
    else if (what !== undefined) note(growth, Number(edges), Number(number), used);
    else text = `${text}${line}\n`.slice(-20_000);
    executions = Number(/stat::number_of_executed_units:\s*(\d+)/.exec(line)?.[1] ?? executions);
  });
  const timer = setInterval(() => {
    look();
    if (quiet !== null && (used >= seconds || isQuiet(growth, used, quiet))) child.kill(END_SIGNAL);
  }, LOOK_MS);
  const [status] = await once(child, 'close');
  clearInterval(timer);
  const round = { executions, seconds: used, growth };
  if (status === 0) return { ...round, findings: [] };
  const file = /Test unit written to (\S+)/.exec(text)?.[1] ?? '(no input)';
  const problem = text.slice(Math.max(0, text.search(/spprof-fuzz:|runtime error:|ERROR:/))).slice(0, 3000);
  return { ...round, findings: [{ file, problem, again: `${path.relative(ROOT, program)} ${file}` }] };
}

/** Above this a library's symbols take longer to read than all else in a log. */
const MAX_LIBRARY = 100_000;

/** A path to a large library or program leads nowhere; its length stays. @param {string} file */
function withoutLargeFile(file) {
  const isLarge = fs.existsSync(file) && fs.statSync(file).size > MAX_LIBRARY;
  return isLarge ? `-${file.slice(1)}` : file;
}

/**
 * Real logs, with the eight bytes that the target takes off their ends: that checksums be made right. Reading the symbols of the Node.js
 * that they name would be all that the target does: 60 ms for each input. ELF files have a target of their own.
 * @param {string} seeds @param {string} folder
 */
function copyLogs(seeds, folder) {
  for (const name of fs.readdirSync(seeds).filter((each) => each.endsWith('.spprof'))) {
    const log = fs
      .readFileSync(path.join(seeds, name))
      .toString('latin1')
      .replace(/\/[!-~]{2,}/g, withoutLargeFile);
    fs.writeFileSync(path.join(folder, name), Buffer.concat([Buffer.from(log, 'latin1'), Buffer.alloc(8, 1)]));
  }
}

module.exports = { NATIVE_TARGETS, buildTargets, runNativeTarget, whyNotBuilt };
