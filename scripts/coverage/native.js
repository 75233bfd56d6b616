'use strict';

/**
 * The core's lines: clang's own coverage, whose counters are in a file that is mapped into each process. So they hold
 * whatever a process does at its end: also children that are killed, or leave with _exit.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { dropForeignCache } = require('../build-addon');
const { ROOT, capture, run } = require('../tools');
const { readLcov } = require('./lines');

const BUILD = path.join(ROOT, 'build', 'coverage');
const ADDON = path.join(BUILD, 'Release', 'spprof.node');
/** One file a program, for all of its processes: %m is the program, %c maps it. */
const PROFILES = '%m%c.profraw';

/** @param {string[]} targets empty: all @returns {number} exit status */
function build(targets) {
  const jobs = String(os.cpus().length);
  dropForeignCache(BUILD);
  return (
    run('cmake', ['--preset', 'coverage']) ||
    run('cmake', [
      ...['--build', '--preset', 'coverage', '--parallel', jobs],
      ...(targets.length === 0 ? [] : ['--target', ...targets]),
    ])
  );
}

/** @param {string} folder for the counters @returns {NodeJS.ProcessEnv} */
function environment(folder) {
  fs.mkdirSync(folder, { recursive: true });
  return { ...process.env, LLVM_PROFILE_FILE: path.join(folder, PROFILES) };
}

/** A program of LLVM, by the version of clang where its name has one. @param {string} name @param {string[]} args */
function llvm(name, args) {
  const { status, output, stdout } = capture(name, args);
  if (status !== 0) throw new Error(`${name} failed (Debian: llvm): ${output.slice(-2000)}`);
  return stdout;
}

/** @param {string[]} folders with counters @returns {import('./lines').Lines} */
function linesOf(folders) {
  const profiles = folders.flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)));
  const merged = path.join(BUILD, 'merged.profdata');
  llvm('llvm-profdata', ['merge', '--sparse', '-o', merged, ...profiles]);
  const programs = fs.readdirSync(BUILD).filter((name) => name.endsWith('_test'));
  const objects = [...programs.map((name) => path.join(BUILD, name)), ADDON].filter((file) => fs.existsSync(file));
  const lcov = llvm('llvm-cov', [
    ...['export', '-format=lcov', `-instr-profile=${merged}`, objects[0]],
    ...objects.slice(1).flatMap((file) => ['-object', file]),
  ]);
  return new Map([...readLcov(lcov, ROOT)].filter(([file]) => file.startsWith('native/')));
}

module.exports = { ADDON, build, environment, linesOf };
