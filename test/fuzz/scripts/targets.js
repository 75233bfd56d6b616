'use strict';

/** What is fuzzed in JavaScript: each target changes a seed, and does with it all that a user could. */

const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { INTERESTING_TEXT, mutateBytes, mutateJson, mutateText } = require('./mutators');
const { mutateLog } = require('./own-log');

/**
 * @typedef {import('./mutators').Random} Random
 * @typedef {object} Target
 * @property {RegExp} seeds which of the seeds it begins with
 * @property {(seed: Buffer, random: Random) => Buffer} mutate
 * @property {(file: string) => Promise<void> | void} run on an input's file; throws what a user would see
 */

/** @param {import('../../../lib/profile/profile').Profile} profile @param {'program' | 'full'} view @param {string} file */
async function writeAll(profile, view, file) {
  profile.toText({ view });
  profile.toTree({ view });
  profile.toCollapsed({ view });
  profile.toSpeedscope({ view });
  profile.toPprof({ view });
  profile.toFirefox({ view });
  profile.toTrace({ view });
  profile.toFlameGraph({ view });
  for (const { id, kind } of profile.threads) if (kind !== 'native') profile.toCpuProfile(id, { view });
  await profile.write(`${file}.md`, { view });
  profile.diff(profile, { view });
}

/** Everything that a profile of any origin must survive. @param {string} file */
async function useProfile(file) {
  const { readProfile } = require('../../../lib/profile/read-profile');
  const profile = await readProfile(file, { sourceMaps: false, maxMemory: 64 });
  for (const view of /** @type {const} */ (['program', 'full'])) await writeAll(profile, view, file);
  JSON.stringify([profile.threads, profile.functions, profile.categories, profile.marks, profile.stats]);
  let count = 0;
  for (const { stackId } of profile.samples()) {
    profile.stack(stackId);
    if (++count === 2000) break;
  }
  profile.filter({ fromMs: 1, toMs: 100 });
}

/** Compressed: damaged before, after, or both. @param {Buffer} seed @param {Random} random */
function mutateCompressed(seed, random) {
  const content = zlib.gunzipSync(seed);
  const kind = random.below(8);
  if (kind === 0) return mutateBytes(seed, random);
  const changed = zlib.gzipSync(mutateBytes(content, random), { level: 1 });
  return kind === 1 ? mutateBytes(changed, random) : changed;
}

/** A pprof's protocol buffer, which the seeds hold compressed. @param {Buffer} seed @param {Random} random */
function mutatePprof(seed, random) {
  return mutateBytes(zlib.gunzipSync(seed), random);
}

/** Options as programs, command lines and environments give them. @param {string} file of JSON */
function useOptions(file) {
  const { checkOptions, optionsFromEnvironment, toNativeOptions } = require('../../../lib/options/options');
  const { parseArguments } = require('../../../lib/cli/arguments');
  const { start, env, args } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const steps = [
    () => toNativeOptions(checkOptions(start), null),
    () => optionsFromEnvironment(env),
    () => parseArguments(args, {}),
    () => parseArguments(['record', '-o', 'x.html', '--', 'node'], env),
  ];
  /** @type {unknown} */
  let first;
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      if (!isCoded(error)) throw error;
      first ??= error;
    }
  }
  if (first !== undefined) throw first;
}

/** What is no JSON any more is the importers' business. @param {Buffer} bytes @returns {any} */
function parsed(bytes) {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return null;
  }
}

/** @param {Buffer} seed @param {Random} random */
function mutateOptions(seed, random) {
  const { start, env, args } = parsed(mutateJson(seed, random)) ?? {};
  const words = Array.isArray(args) ? args.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))) : [];
  for (let n = random.below(4); n > 0; n--) {
    const word = random.of(words.length > 0 && random.below(2) === 0 ? words : INTERESTING_TEXT);
    words.splice(
      random.below(words.length + 1),
      random.below(2),
      `${word}${random.of(['', '', '=', ...INTERESTING_TEXT])}`,
    );
  }
  const strings = Object.entries(env ?? {}).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return Buffer.from(JSON.stringify({ start, env: Object.fromEntries(strings), args: words }));
}

/** A script and its map, one file: the map's comment is the last line. @param {string} file */
function useSourceMap(file) {
  const { applySourceMaps } = require('../../../lib/places/source-maps');
  const { fillSourcePositions } = require('../../../lib/places/source-positions');
  const text = fs.readFileSync(file, 'utf8');
  const frame = /** @type {any} */ ({
    ...{ kind: 'js', functionName: 'a', url: path.resolve(file), module: '', tier: 'unknown', isInlined: false },
    ...{ sourceLength: 0, startOffset: 10, sampledLine: 1, sampledColumn: 5 },
  });
  const frames = [0, 1, 2, 5, 1e6].map((line) => ({ ...frame, line, column: line + 1 }));
  fillSourcePositions([{ ...frame, line: 0, column: 0, sourceLength: text.length }]);
  applySourceMaps(frames); // Its sentences are for people; what it throws is a fault.
}

/** @param {Buffer} seed a map @param {Random} random @returns {Buffer} a script */
function mutateSourceMap(seed, random) {
  const map = mutateJson(seed, random);
  const url =
    random.below(3) === 0
      ? `data:application/json,${encodeURIComponent(map.toString('latin1'))}`
      : `data:application/json;base64,${map.toString('base64')}`;
  const script = Buffer.from(`function a(){}\nconst b = () => a();\n//# sourceMappingURL=${url}\n`);
  return random.below(4) === 0 ? mutateText(script, random) : script;
}

/** @type {Record<string, Target>} */
const TARGETS = {
  cpuprofile: { seeds: /cpuprofile$|cpuprof\.json$/, mutate: mutateJson, run: useProfile },
  speedscope: { seeds: /speedscope\.json$/, mutate: mutateJson, run: useProfile },
  pprof: { seeds: /pb\.gz$/, mutate: mutatePprof, run: useProfile },
  collapsed: { seeds: /collapsed$/, mutate: mutateText, run: useProfile },
  'perf-script': { seeds: /perf-script\.txt$/, mutate: mutateText, run: useProfile },
  'own-log': { seeds: /\.spprof$/, mutate: mutateLog, run: useProfile },
  compressed: { seeds: /\.gz$/, mutate: mutateCompressed, run: useProfile },
  options: { seeds: /^options\.json$/, mutate: mutateOptions, run: useOptions },
  'source-maps': { seeds: /\.map$/, mutate: mutateSourceMap, run: useSourceMap },
};

/** Whether it is an error for the user, with a code. @param {unknown} error */
function isCoded(error) {
  return /^ERR_SPPROF_/.test(String(/** @type {any} */ (error)?.code));
}

module.exports = { TARGETS, isCoded };
