'use strict';

/**
 * spprof and its peers on the same programs, in the same run, interleaved: how much of the truth each shows, and what it
 * costs. `node bench/peers.js [rounds] [program ...]`: 5 of all; prints the table of docs/measurements.md.
 *
 * The peers are what runs in a Node process without privileges: V8's own profiler (`node --cpu-prof`), and @datadog/pprof,
 * which samples by wall clock. Each is told to take a sample a millisecond.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const { Profile } = require('pprof-format');
const { readProfile } = require('../lib/index');
const { ROOT } = require('../scripts/tools');

const ROUNDS = Number(process.argv[2] ?? 5);
const ASKED = process.argv.slice(3);
const CLI = path.join(ROOT, 'lib', 'cli', 'main.js');
const PROGRAMS = path.join(__dirname, 'peers');

/** Total time of a function's name, and of all that is not idle, ms. @typedef {{ of: (name: RegExp) => number, busy: number }} Times */

/** @param {string} log @returns {Promise<Times>} */
async function timesOfSpprof(log) {
  const profile = await readProfile(log);
  const stacks = new Map();
  for (const { stackId, cpuNs } of profile.samples()) stacks.set(stackId, (stacks.get(stackId) ?? 0) + cpuNs);
  return {
    of(name) {
      let sum = 0;
      for (const [id, ns] of stacks) if (profile.stack(id).some((frame) => name.test(frame.functionName))) sum += ns;
      return sum / 1e6;
    },
    busy: profile.cpuNs / 1e6,
  };
}

/** @param {string} file @returns {Times} */
function timesOfV8(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const self = new Map();
  // A delta is the time before its sample: V8 lets it end the sample before.
  for (let i = 0; i < samples.length; i++)
    self.set(samples[i], (self.get(samples[i]) ?? 0) + (timeDeltas[i + 1] ?? 0) / 1000);
  const byId = new Map(nodes.map((/** @type {any} */ node) => [node.id, node]));
  /** @param {any} node @param {(node: any) => boolean} isAsked @param {boolean} isBelow @returns {number} */
  const sum = (node, isAsked, isBelow) => {
    const isIn = isBelow || isAsked(node);
    const own = isIn ? (self.get(node.id) ?? 0) : 0;
    return (node.children ?? []).reduce(
      (/** @type {number} */ total, /** @type {number} */ id) => total + sum(byId.get(id), isAsked, isIn),
      own,
    );
  };
  return {
    of: (name) => sum(nodes[0], ({ callFrame }) => name.test(callFrame.functionName), false),
    busy:
      sum(nodes[0], () => true, false) - sum(nodes[0], ({ callFrame }) => callFrame.functionName === '(idle)', false),
  };
}

/** @param {string} file @returns {Times} */
function timesOfDatadog(file) {
  const bytes = fs.readFileSync(file);
  const {
    sample,
    location,
    function: functions,
    stringTable,
  } = Profile.decode(bytes[0] === 0x1f ? zlib.gunzipSync(bytes) : bytes);
  const nameOfFunction = new Map(functions.map(({ id, name }) => [Number(id), stringTable.strings[Number(name)]]));
  const namesOf = new Map(
    location.map(({ id, line }) => [
      Number(id),
      line.map(({ functionId }) => nameOfFunction.get(Number(functionId)) ?? ''),
    ]),
  );
  const all = sample.map(({ locationId, value }) => ({
    names: locationId.flatMap((id) => namesOf.get(Number(id)) ?? []),
    ms: Number(value[1]) / 1e6,
  }));
  const sum = (/** @type {(names: string[]) => boolean} */ isAsked) =>
    all.reduce((total, { names, ms }) => total + (isAsked(names) ? ms : 0), 0);
  return {
    of: (name) => sum((names) => names.some((each) => name.test(each))),
    busy: sum((names) => !names.includes('(idle)')),
  };
}

/** @typedef {{ truth: any, times: Times | null }} Run */

/** @type {Record<string, (program: string, folder: string) => Run | Promise<Run>>} */
const PROFILERS = {
  none: (program) => ({ truth: runNode([program]), times: null }),
  spprof: (program, folder) => runSpprof(program, folder, []),
  'spprof -r 1000': (program, folder) => runSpprof(program, folder, ['-r', '1000']),
  'node --cpu-prof': (program, folder) => {
    const truth = runNode(['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-name=v8.cpuprofile', program]);
    return { truth, times: timesOfV8(path.join(folder, 'v8.cpuprofile')) };
  },
  '@datadog/pprof': (program, folder) => {
    const output = path.join(folder, 'datadog.pb.gz');
    const truth = runNode(['-r', path.join(PROGRAMS, 'datadog.js'), program], {
      PEER_OUTPUT: output,
      PEER_INTERVAL_US: '1000',
    });
    return { truth, times: timesOfDatadog(output) };
  },
};

/** @param {string} program @param {string} folder @param {string[]} options @returns {Promise<Run>} */
async function runSpprof(program, folder, options) {
  const output = path.join(folder, 'own.spprof');
  const truth = runNode([CLI, '-q', ...options, '-o', output, '--', process.execPath, program]);
  return { truth, times: await timesOfSpprof(output) };
}

/** @param {string[]} args @param {Record<string, string>} [env] @returns {any} the truth, of the last line that is printed */
function runNode(args, env = {}) {
  const run = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) throw new Error(`node ${args.join(' ')}: ${run.status ?? run.signal}\n${run.stderr}`);
  const last = run.stdout.trim().split('\n').at(-1) ?? '';
  return last.startsWith('{') ? JSON.parse(last) : { cpuMs: Number(/cpu ([\d.]+) ms/.exec(last)?.[1]) };
}

const ZLIB = /deflate|crc32|adler|longest_match|fill_window|slide_hash|compress_block/i;

/**
 * What is asked of each program's recording. `truth` in the same unit, when it is not a number that was measured without us.
 * @type {{ what: string, program: string, unit: string, truth: string, of: (run: Run, plain: Run) => number | null }[]}
 */
const QUESTIONS = [
  {
    ...{ what: 'first of two parts that a timer sets off', program: 'timers', unit: '%', truth: '40.0' },
    of: ({ times }) => times && (100 * times.of(/^firstWork$/)) / (times.of(/^firstWork$/) + times.of(/^secondWork$/)),
  },
  {
    ...{ what: 'a function inlined into a loop', program: 'inlined', unit: '%', truth: '> 95' },
    of: ({ times }) => times && (100 * times.of(/^smallWork$/)) / times.of(/^(smallWork|hotLoop)$/),
  },
  {
    ...{ what: 'zlib’s own functions, of what calls them', program: 'native', unit: '%', truth: '> 95' },
    of: ({ times }) => times && (100 * times.of(ZLIB)) / times.of(/^callsZlib$|deflate/i),
  },
  {
    ...{ what: 'CPU time seen, of what the process used', program: 'waits', unit: '', truth: '1.00' },
    of: ({ truth, times }) => times && times.busy / truth.cpuMs,
  },
  {
    ...{ what: 'CPU time of a function on a shared core, of the true', program: 'shared', unit: '', truth: '1.00' },
    of: ({ truth, times }) => times && times.of(/^burn$/) / truth.burnMs,
  },
  {
    ...{ what: 'idle server: event-loop utilisation', program: 'idle', unit: '%', truth: 'none' },
    of: ({ truth }) => truth.loopPercent,
  },
  {
    ...{ what: 'idle server: CPU', program: 'idle', unit: '%', truth: 'none' },
    of: ({ truth }) => truth.idleCpuPercent,
  },
  {
    ...{ what: 'busy program: CPU above none', program: '../../examples/typecheck', unit: '%', truth: '0' },
    of: ({ truth }, plain) => (100 * (truth.cpuMs - plain.truth.cpuMs)) / plain.truth.cpuMs,
  },
];

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

async function compare() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-peers-'));
  /** @type {Map<string, number[]>} */
  const figures = new Map();
  const all = [...new Set(QUESTIONS.map(({ program }) => program))];
  const programs = all.filter((program) => ASKED.length === 0 || ASKED.includes(path.basename(program)));
  for (let round = 0; round < ROUNDS; round++) {
    for (const program of programs) {
      /** @type {Record<string, Run>} */
      const runs = {};
      for (const name of Object.keys(PROFILERS).sort(() => Math.random() - 0.5)) {
        runs[name] = await PROFILERS[name](path.join(PROGRAMS, `${program}.js`), folder);
      }
      for (const [name, run] of Object.entries(runs)) {
        for (const question of QUESTIONS.filter((each) => each.program === program)) {
          const figure = question.of(run, runs.none);
          const key = `${question.what}\0${name}`;
          if (figure !== null) figures.set(key, [...(figures.get(key) ?? []), figure]);
        }
      }
      process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${program}\n`);
    }
  }
  fs.rmSync(folder, { recursive: true });
  return figures;
}

compare().then((figures) => {
  const names = Object.keys(PROFILERS);
  process.stdout.write(`| Node ${process.version}, medians of ${ROUNDS} | truth | ${names.join(' | ')} |\n`);
  process.stdout.write(`| --- | ${[...names, ''].map(() => '---').join(' | ')} |\n`);
  for (const { what, unit, truth } of QUESTIONS.filter(({ what }) => figures.has(`${what}\0${names[1]}`))) {
    const cells = names.map((name) => {
      const values = figures.get(`${what}\0${name}`);
      return values === undefined ? '' : `${median(values).toFixed(unit === '' ? 3 : 1)} ${unit}`.trim();
    });
    process.stdout.write(`| ${what} | ${truth} | ${cells.join(' | ')} |\n`);
  }
});
