'use strict';

/**
 * Signal safety, by linker: the objects of the rooms of native/signal_safe are linked together (`ld -r`), with what they
 * need of the floors below them (region, base); what is left undefined is all that the signal handler can call. Each such
 * symbol must be in scripts/signal-safe-symbols.txt with its reason; a symbol there that is not used is a problem too, so
 * that the list stays what it says.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, capture, requireTool } = require('../tools');

const LIST = path.join(ROOT, 'scripts', 'signal-safe-symbols.txt');

/** What a compiler may call by itself, or not, as it optimises. */
const COMPILERS_OWN = /^mem(cpy|set|move|cmp)$/;

/**
 * The list: one `symbol  reason` a line.
 * @returns {Map<string, string>}
 */
function allowedSymbols() {
  /** @type {Map<string, string>} */
  const allowed = new Map();
  for (const line of fs.readFileSync(LIST, 'utf8').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [symbol, ...reason] = line.trim().split(/\s+/);
    allowed.set(symbol, reason.join(' '));
  }
  return allowed;
}

/** @param {string} tool @param {string[]} args @returns {string} stdout */
function must(tool, args) {
  requireTool(tool);
  const { status, output, stdout } = capture(tool, args);
  if (status !== 0) throw new Error(`${tool} failed: ${output.trim()}`);
  return stdout;
}

/** The archives of the wing's rooms. @param {string} build */
function archivesOf(build) {
  const rooms = fs.readdirSync(path.join(ROOT, 'native', 'signal_safe'));
  return rooms.map((room) => path.join(build, `libspprof_signal_safe_${room}.a`));
}

/**
 * The wing's undefined symbols.
 * @param {string[]} archives of its rooms
 * @param {string} build the folder in which those of the floors that it uses lie
 * @returns {string[]}
 */
function undefinedSymbols(archives, build) {
  const floors = ['region', 'base'].map((floor) => path.join(build, `libspprof_${floor}.a`));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-wing-'));
  try {
    const object = path.join(folder, 'wing.o');
    must('ld', ['-r', '--whole-archive', ...archives, '--no-whole-archive', ...floors, '-o', object]);
    const lines = must('nm', ['--undefined-only', '--format=posix', object]).split('\n');
    return [...new Set(lines.map((line) => line.split(' ')[0]).filter(Boolean))].sort();
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string} [build] the folder of the archives
 * @returns {string[]} one line a problem
 */
function checkSignalSafety(build = path.join(ROOT, 'build')) {
  const archives = archivesOf(build);
  const missing = archives.filter((archive) => !fs.existsSync(archive));
  if (missing.length > 0) {
    const names = missing.map((archive) => path.relative(ROOT, archive)).join(', ');
    return [`missing: ${names}; build them with: node scripts/build-addon.js`];
  }
  const allowed = allowedSymbols();
  const used = undefinedSymbols(archives, build);
  return [
    ...used
      .filter((name) => !allowed.has(name))
      .map((name) => `the signal handler's wing needs ${name}: not in the list`),
    ...used.filter((name) => allowed.get(name) === '').map((name) => `${name} is in the list without a reason`),
    ...[...allowed.keys()]
      .filter((name) => !used.includes(name) && !COMPILERS_OWN.test(name))
      .map((name) => `${name} is in the list, and not used`),
  ];
}

module.exports = { checkSignalSafety };

if (require.main === module) {
  const problems = checkSignalSafety(process.argv[2]);
  process.stdout.write(problems.map((problem) => `${problem}\n`).join(''));
  process.exitCode = problems.length === 0 ? 0 : 1;
}
