'use strict';

/** `npm run check`: every gate, in a table; exit status 1 when one failed. A missing tool is a failure. */

const { capture, packageBin, projectFiles, requireTool } = require('./tools');

/** A gate gives its problems, one a line; it may throw. @typedef {{ name: string, run: () => string[] }} Gate */

/**
 * A gate that is a program: it fails when the program does.
 * @param {string} command
 * @param {string[]} args
 */
function program(command, args) {
  const { status, output } = capture(command, args);
  return status === 0 ? [] : [`${output.trim()}\n(exit status ${status})`];
}

/** @returns {string[]} */
function clangFormat() {
  requireTool('clang-format');
  const files = projectFiles('native/*.h', 'native/*.cc', 'test/*.h', 'test/*.cc', 'bench/*.h', 'bench/*.cc');
  if (files.length === 0) return ['no C++ file was found'];
  const { status, output } = capture('clang-format', ['--dry-run', '-Werror', ...files]);
  const named = new Set([...output.matchAll(/^(\S+?):\d+:\d+: error/gm)].map((match) => match[1]));
  if (status !== 0 && named.size === 0) return [output.trim()];
  return [...named].map((file) => `${file}: not as clang-format would have it; npm run fix mends it`);
}

/** @type {Gate[]} */
const GATES = [
  { name: 'format and lint (biome)', run: () => program(packageBin('biome'), ['check', '--error-on-warnings', '.']) },
  { name: 'types (tsc --checkJs)', run: () => program(packageBin('tsc'), ['--project', 'tsconfig.json']) },
  { name: 'types of the page', run: () => program(packageBin('tsc'), ['--project', 'lib/page/tsconfig.json']) },
  { name: 'types of the public API', run: () => program(packageBin('tsc'), ['--project', 'test/types/tsconfig.json']) },
  { name: 'format of C++ (clang-format)', run: clangFormat },
  { name: 'syntax of the macOS files', run: () => require('./gates/darwin').checkDarwin() },
  { name: 'layers', run: () => require('./gates/layers').checkLayers() },
  { name: 'plan (ARCHITECTURE.md)', run: () => require('./gates/plan').checkPlan() },
  { name: 'signal safety by linker', run: () => require('./gates/signal-safety').checkSignalSafety() },
  { name: 'glibc of the addon', run: () => require('./gates/glibc-floor').checkGlibcFloor() },
  { name: 'contract with the addon', run: () => require('./gates/contract').checkContract() },
  { name: 'citations of docs', run: () => require('./gates/citations').checkCitations() },
  { name: 'docs of the options', run: () => require('./gates/option-docs').checkOptionDocs() },
  { name: 'docs of errors and statistics', run: () => require('./gates/reference-docs').checkReferenceDocs() },
  { name: 'forbidden strings', run: () => require('./gates/forbidden').checkForbidden() },
  { name: 'size and names of files', run: () => require('./gates/size').checkSize() },
];

/** @param {Gate} gate */
function runGate({ name, run }) {
  const begin = performance.now();
  /** @type {string[]} */
  let problems;
  try {
    problems = run();
  } catch (error) {
    problems = [error instanceof Error ? error.message : String(error)];
  }
  return { name, problems, seconds: (performance.now() - begin) / 1000 };
}

/** @returns {number} exit status */
function check() {
  const results = GATES.map(runGate);
  for (const { name, problems } of results.filter((result) => result.problems.length > 0)) {
    process.stdout.write(`\n${name}:\n${problems.map((problem) => `  ${problem}`).join('\n')}\n`);
  }
  const width = Math.max(...results.map(({ name }) => name.length));
  process.stdout.write(`\n${'gate'.padEnd(width)}  result    time\n`);
  for (const { name, problems, seconds } of results) {
    const result = problems.length === 0 ? 'ok' : 'FAILED';
    process.stdout.write(`${name.padEnd(width)}  ${result.padEnd(6)}  ${seconds.toFixed(1).padStart(4)} s\n`);
  }
  return results.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

if (require.main === module) process.exitCode = check();
