'use strict';

/** Fuzz targets of the core: libFuzzer with the sanitizers of addresses and undefined behaviour. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT, capture } = require('../tools');

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

/** The number behind a word in libFuzzer's report. @param {string} text @param {RegExp} pattern */
function lastNumber(text, pattern) {
  return Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
}

/**
 * @param {string} name
 * @param {{ seconds: number, seed: number, folder: string, seeds: string, findings: string, more: string[] }} settings
 *   `folder`: of the corpus, which is kept; `seeds`: of real files; `more`: of libFuzzer
 * @returns {import('./targets').Outcome}
 */
function runNativeTarget(name, { seconds, seed, folder, seeds, findings, more }) {
  const [corpus, own] = ['corpus', 'seeds'].map((part) => path.join(folder, part, name));
  for (const each of [corpus, own]) fs.mkdirSync(each, { recursive: true });
  const program = programOf(name);
  const made = spawnSync(program, { env: { ...process.env, SPPROF_FUZZ_SEEDS: own }, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`${name}: the seeds could not be made: ${made.stderr}`);
  if (name === 'log') copyLogs(seeds, own);
  const prefix = path.join(findings, `${name}-`);
  const args = [`-max_total_time=${seconds}`, `-seed=${seed}`, `-artifact_prefix=${prefix}`, ...LIMITS, ...more];
  const { status, stderr } = spawnSync(program, [...args, corpus, own], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const executions = lastNumber(stderr, /stat::number_of_executed_units:\s*(\d+)/g);
  const edges = lastNumber(stderr, /cov: (\d+)/g);
  const known = Number(/\bINITED\s+cov: (\d+)/.exec(stderr)?.[1] ?? edges);
  const outcome = { name, executions, seconds, edges, newEdges: edges - known };
  if (status === 0) return { ...outcome, findings: [] };
  const file = /Test unit written to (\S+)/.exec(stderr)?.[1] ?? '(no input)';
  const problem = stderr.slice(Math.max(0, stderr.search(/spprof-fuzz:|runtime error:|ERROR:/))).slice(0, 3000);
  return { ...outcome, findings: [{ file, problem, again: `${path.relative(ROOT, program)} ${file}` }] };
}

/** Real logs, with the eight bytes that the target takes off their ends. @param {string} seeds @param {string} folder */
function copyLogs(seeds, folder) {
  for (const name of fs.readdirSync(seeds).filter((each) => each.endsWith('.spprof'))) {
    const log = fs.readFileSync(path.join(seeds, name));
    fs.writeFileSync(path.join(folder, name), Buffer.concat([log, Buffer.alloc(8, 1)]));
  }
}

module.exports = { NATIVE_TARGETS, buildTargets, runNativeTarget, whyNotBuilt };
