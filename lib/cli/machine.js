'use strict';

const fs = require('node:fs');
const os = require('node:os');
const { codeOf, messageOf } = require('../base/errors');
const { glibcVersion } = require('../native/support');

/** What this machine and this Node.js are: what a bug report needs. A fact that cannot be had is null. */

/** The first line of a small file of the kernel's. @param {string} file @returns {string | null} */
function firstLine(file) {
  try {
    return fs.readFileSync(file, 'utf8').split('\n', 1)[0].trim();
  } catch (error) {
    if (codeOf(error) === '') throw error;
    return null;
  }
}

/** Processor features that have mattered to a profiler: larger signal frames, protection keys, shadow stacks, addresses. */
const FEATURES = [
  'avx512f',
  'amx_tile',
  'ospke',
  'user_shstk',
  'ibt',
  'la57',
  'hypervisor',
  'nonstop_tsc',
  'pauth',
  'bti',
];

/** @returns {{ model: string, vendor: string | null, count: number, usable: number, features: string[] }} */
function processor() {
  const cpus = os.cpus();
  const text = readAll('/proc/cpuinfo');
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1].trim().split(/\s+/) ?? []);
  return {
    model: cpus[0]?.model.trim() ?? 'unknown',
    vendor: /^vendor_id\s*:\s*(.*)$/m.exec(text)?.[1] ?? null,
    count: cpus.length,
    usable: os.availableParallelism?.() ?? cpus.length,
    features: FEATURES.filter((feature) => flags.has(feature)),
  };
}

/** @param {string} file @returns {string} empty when it cannot be read */
function readAll(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === '') throw error;
    return '';
  }
}

/** Soft and hard limits of this process, as the kernel words them. @returns {Record<string, string>} */
function limits() {
  const names = ['Max open files', 'Max pending signals', 'Max locked memory', 'Max file size', 'Max address space'];
  const lines = readAll('/proc/self/limits').split('\n');
  return Object.fromEntries(
    names.flatMap((name) => {
      const line = lines.find((each) => each.startsWith(name));
      return line === undefined ? [] : [[name, line.slice(name.length).trim().replace(/\s+/g, ' ')]];
    }),
  );
}

/** A container's limit on CPU time, in CPUs. @returns {number | null} none */
function cpuQuota() {
  const [quota, period] = (firstLine('/sys/fs/cgroup/cpu.max') ?? 'max').split(' ');
  return quota === 'max' ? null : Number(quota) / Number(period);
}

/** @returns {Record<string, unknown>} */
function runtime() {
  const variables = /** @type {Record<string, unknown>} */ (process.config.variables);
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    uv: process.versions.uv,
    executable: process.execPath,
    arch: process.arch,
    pointerCompression: Number(variables.v8_enable_pointer_compression ?? 0) === 1,
    nodeOptions: process.env.NODE_OPTIONS ?? null,
    settings: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('SPPROF_'))),
  };
}

/** @returns {Record<string, unknown>} */
function kernel() {
  return {
    system: `${os.type()} ${os.release()}`,
    version: os.version(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(readAll('/etc/os-release'))?.[1] ?? null,
    glibc: process.platform === 'linux' ? glibcVersion() : null,
    clocksource: firstLine('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    perfEventParanoid: firstLine('/proc/sys/kernel/perf_event_paranoid'),
    ptraceScope: firstLine('/proc/sys/kernel/yama/ptrace_scope'),
    cpuQuota: cpuQuota(),
    user: process.getuid?.() === 0 ? 'root' : 'not root',
    seccomp: /^Seccomp:\s*(\d)/m.exec(readAll('/proc/self/status'))?.[1] ?? null,
  };
}

/** The engines that are tried: option `timer`, and an interval in µs. */
const TRIALS = /** @type {const} */ ([
  ['auto', 4000],
  ['auto', 1000],
  ['auto', 100],
  ['tick', 4000],
  ['hires', 1000],
  ['perf', 1000],
  ['itimer', 4000],
]);

/** @param {number} us of CPU time */
function burnCpu(us) {
  const begin = process.cpuUsage();
  for (let used = 0; used < us; ) {
    for (let i = 0; i < 1e5; i++) Math.sqrt(i);
    const { user, system } = process.cpuUsage(begin);
    used = user + system;
  }
}

/**
 * Records this process for a tenth of a second of CPU time with one engine.
 * @param {string} timer @param {number} intervalUs
 * @returns {Promise<{ asked: string, intervalUs: number, used: string | null, samples: number, problem: string | null }>}
 */
async function tryEngine(timer, intervalUs) {
  const { start } = require('../session/session');
  const asked = { asked: timer, intervalUs };
  try {
    const session = start({ timer, intervalUs });
    burnCpu(100_000);
    const { stats, timer: used } = await session.stop();
    return { ...asked, used, samples: stats.written, problem: null };
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_SPPROF_')) throw error;
    return { ...asked, used: null, samples: 0, problem: messageOf(error) };
  }
}

/** The native part, and what it says. @returns {Record<string, unknown>} */
function addon() {
  const { findBinding, loadBinding } = require('../native/binding');
  try {
    const facts = loadBinding().machineFacts();
    return { file: findBinding(), ...facts, problem: null };
  } catch (error) {
    if (!codeOf(error).startsWith('ERR_SPPROF_')) throw error;
    return { file: null, problem: messageOf(error) };
  }
}

/** All of it. @returns {Promise<Record<string, any>>} */
async function describeMachine() {
  const native = addon();
  const engines = [];
  if (native.problem === null) {
    for (const [timer, intervalUs] of TRIALS) engines.push(await tryEngine(timer, intervalUs));
  }
  return {
    spprof: require('../../package.json').version,
    ...{ node: runtime(), cpu: processor(), kernel: kernel(), limits: limits(), addon: native, engines },
  };
}

module.exports = { describeMachine };
