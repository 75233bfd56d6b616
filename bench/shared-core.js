'use strict';

/**
 * Shares that a program measures itself, and what spprof's engines and Linux perf say of them: a core that two threads share, system
 * calls, and work that a timer sets off (test/programs/truth).
 *
 *     node bench/shared-core.js [--node <path>]... [--rate 1000 --rate 10000] [--program shared-core]...
 *
 * The truth is that of a run without a profiler: what setting timers takes is in the clock's time of a profiled one.
 * Linux perf is run where it is installed and permitted, with the program's --perf-basic-prof.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');

/** @type {Record<string, { args: string[], parts: [string, string] }>} the first part's share of both is asked for */
const PROGRAMS = {
  'shared-core': { args: ['4000'], parts: ['writeByte', 'compute'] },
  'system-calls': { args: ['4000', 'busy', 'short'], parts: ['readFile', 'workInJs'] },
  'timer-parts': { args: ['500'], parts: ['firstWork', 'secondWork'] },
};

const { values } = parseArgs({
  options: {
    node: { type: 'string', multiple: true, default: [process.execPath] },
    rate: { type: 'string', multiple: true, default: ['1000', '5000', '10000'] },
    program: { type: 'string', multiple: true, default: Object.keys(PROGRAMS) },
  },
});
const CLI = path.join(__dirname, '..', 'lib', 'cli', 'main.js');

/** @param {string} command @param {string[]} args @param {string} cwd @returns {string} what it printed */
function run(command, args, cwd) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${status ?? signal}\n${stderr}`);
  return stdout;
}

/** @param {Record<string, number>} times @param {[string, string]} parts */
const shareOf = (times, [first, second]) => times[first] / (times[first] + times[second]);

/** @param {string} file a recording, or what `perf script` says @param {[string, string]} parts */
function shareIn(file, parts) {
  const { functions } = JSON.parse(
    run(process.execPath, [CLI, 'report', '--json', '--top', '100000', file], os.tmpdir()),
  );
  /** @type {Record<string, number>} */
  const times = {};
  for (const { functionName, totalNs } of functions) {
    const name = parts.find((part) => new RegExp(`(^|[^\\w])${part}$`).test(functionName.replace(/ .*/, '')));
    if (name !== undefined) times[name] = (times[name] ?? 0) + totalNs;
  }
  return shareOf(times, parts);
}

/** @param {string} node @param {string[]} program @param {string} folder @param {[string, string]} parts */
function shareByPerf(node, program, folder, parts) {
  const options = ['record', '-q', '-e', 'cpu-clock', '-F', '997', '-g', '-o', 'perf.data', '--'];
  run('perf', [...options, node, '--perf-basic-prof', '--interpreted-frames-native-stack', ...program], folder);
  fs.writeFileSync(path.join(folder, 'perf.txt'), run('perf', ['script', '-i', 'perf.data'], folder));
  return shareIn(path.join(folder, 'perf.txt'), parts);
}

/** @param {string} what @param {() => number} measure */
function show(what, measure) {
  let text;
  try {
    text = `${(100 * measure()).toFixed(2)} %`;
  } catch (error) {
    text = `not measured: ${/** @type {Error} */ (error).message.split('\n').slice(0, 2).join(' ')}`;
  }
  console.log(`  ${what.padEnd(24)} ${text}`);
}

for (const node of values.node) {
  for (const name of values.program) {
    const { args, parts } = PROGRAMS[name];
    const program = [path.join(__dirname, '..', 'test', 'programs', 'truth', `${name}.js`), ...args];
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-bench-'));
    console.log(`${name}: ${parts[0]} of ${parts.join(' and ')}, Node ${run(node, ['--version'], folder).trim()}`);
    show('truth', () => shareOf(JSON.parse(run(node, program, folder)).parts, parts));
    const engines = [[], ...values.rate.map((rate) => ['-r', rate]), ['-r', '1000', '--timer', 'hires']];
    for (const options of engines) {
      show(`spprof ${options.join(' ')}`, () => {
        const output = path.join(folder, 'own.spprof');
        const settings = ['-q', '--max-overhead', '100', '--no-source-maps', ...options, '-o', output];
        run(process.execPath, [CLI, ...settings, '--', node, ...program], folder);
        return shareIn(output, parts);
      });
    }
    if (spawnSync('perf', ['--version']).status === 0)
      show('perf -F 997', () => shareByPerf(node, program, folder, parts));
    else console.log('  perf                     not measured: perf is not installed');
    fs.rmSync(folder, { recursive: true });
  }
}
