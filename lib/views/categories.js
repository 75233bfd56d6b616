'use strict';

const path = require('node:path');
const { C_LIBRARY } = require('../recording/system-calls');
const { shortNativeName } = require('../recording/native-names');
const { scriptPath } = require('../recording/frames');
const { STATE_GC, STATE_OFF_CPU, weightsOf } = require('../recording/model');
const { bundledLibrary, isRuntimeModule } = require('./frame-roles');
const { Packages } = require('./packages');
const { apportion } = require('../base/apportion');

/**
 * Where the time went, by whose code it was spent in: seven categories that add up to all of it.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('../index').Category} Category
 * @typedef {{ category: Category['name'], part: string }} Owner `part`: '' for none
 */

const YOUR_CODE = 'your code';
const DEPENDENCIES = 'dependencies';
const NODE = 'Node.js';
const NATIVE = 'native';
const COLLECTION = 'garbage collection';
const COMPILATION = 'compilation';
const OTHER = 'other';

/** In the order of the report. */
const CATEGORIES = /** @type {const} */ ([YOUR_CODE, DEPENDENCIES, NODE, NATIVE, COLLECTION, COMPILATION, OTHER]);

/** Tenths of a percent. */
const PARTS = 1000;

/** The profiler's own native code. */
const OWN_ADDON = /(^|\/)spprof\.node$/;
/** The folder of the profiler's own JavaScript. */
const OWN_FOLDER = path.join(__dirname, '..') + path.sep;

/** `node:internal/modules/cjs/loader` → `modules`, `node:_http_common` → `http`. @param {string} url */
function nodeModule(url) {
  const name = url.replace(/^node:(internal\/)?/, '').split('/')[0];
  return name.startsWith('_') ? name.slice(1).split('_')[0] : name;
}

/** @param {Frame} frame @param {Packages} packages @returns {Owner} */
function ownerOfScript(frame, packages) {
  if (frame.url.startsWith('node:')) return { category: NODE, part: nodeModule(frame.url) };
  if (frame.kind === 'unknown-js' && frame.url === '') return { category: OTHER, part: 'JavaScript without a name' };
  const file = scriptPath(frame);
  if (file?.startsWith(OWN_FOLDER)) return { category: OTHER, part: 'spprof' };
  const found = file === null ? null : packages.of(file);
  if (found === null) return { category: YOUR_CODE, part: '' };
  return { category: DEPENDENCIES, part: found.version === '' ? found.name : `${found.name}@${found.version}` };
}

/** @param {Frame} frame @param {string} execPath @returns {string} '': not known, as in files of others */
function libraryOf(frame, execPath) {
  if (C_LIBRARY.test(frame.module)) return 'system calls';
  const bundled = isRuntimeModule(frame, execPath) ? bundledLibrary(shortNativeName(frame.functionName)) : null;
  return bundled ?? path.posix.basename(frame.module || frame.url);
}

/** @param {Frame} frame of a program view @param {Recording} recording @param {Packages} packages @returns {Owner} */
function ownerOf(frame, { execPath }, packages) {
  switch (frame.kind) {
    case 'js':
    case 'unknown-js':
      return ownerOfScript(frame, packages);
    case 'native':
      if (OWN_ADDON.test(frame.module)) return { category: OTHER, part: 'spprof' };
      return { category: NATIVE, part: libraryOf(frame, execPath) };
    case 'gc':
      return { category: COLLECTION, part: '' };
    case 'compilation':
      return { category: COMPILATION, part: '' };
    case 'reason': {
      const isNode = frame.functionName !== '(V8 helper)' && frame.functionName !== '(native thread)';
      return isNode ? { category: NODE, part: 'event loop and start' } : { category: OTHER, part: frame.functionName };
    }
    default:
      return { category: OTHER, part: '' };
  }
}

/** For each stack, whether JavaScript is on it. @param {Recording} recording */
function stacksWithJs({ frames, stackFrames, stackParents }) {
  const isOn = new Uint8Array(stackParents.length);
  // A parent's number is lower than its children's.
  for (let node = 1; node < isOn.length; node++) {
    const { kind } = frames[stackFrames[node]];
    isOn[node] = kind === 'js' || kind === 'unknown-js' ? 1 : isOn[stackParents[node]];
  }
  return isOn;
}

/**
 * Whose each sample's time is.
 * @param {Recording} recording in program view
 * @param {Packages} [packages]
 * @returns {(i: number) => Owner}
 */
function sampleOwners(recording, packages = new Packages()) {
  const { frames, stackFrames, sampleStacks, sampleStates } = recording;
  const owners = frames.map((frame) => ownerOf(frame, recording, packages));
  const hasJs = recording.mode === 'wall' ? stacksWithJs(recording) : null;
  /** @type {Owner} */
  const collection = { category: COLLECTION, part: '' };
  /** @type {Owner} */
  const other = { category: OTHER, part: '' };
  /** @type {Owner} */
  const waiting = { category: OTHER, part: 'waiting' };
  return (i) => {
    const stack = sampleStacks[i];
    const isGc = (sampleStates[i] & STATE_GC) !== 0;
    // Wall mode: an event loop, a pool or a helper that has nothing to do.
    const isIdle = hasJs !== null && (sampleStates[i] & STATE_OFF_CPU) !== 0 && hasJs[stack] === 0;
    if (isGc) return isIdle ? { category: COLLECTION, part: 'waiting' } : collection;
    if (isIdle) return waiting;
    return stack === 0 ? other : owners[stackFrames[stack]];
  };
}

/**
 * @param {Recording} recording in program view
 * @returns {Category[]} those with time, in the order of the report; their `percent` adds up to 100
 */
function categoriesOf(recording) {
  const ownerOfSample = sampleOwners(recording);
  const weights = weightsOf(recording);
  /** @type {Map<Category['name'], Map<string, number>>} */
  const sums = new Map(CATEGORIES.map((name) => [name, new Map()]));
  for (let i = 0; i < weights.length; i++) {
    const { category, part } = ownerOfSample(i);
    const parts = /** @type {Map<string, number>} */ (sums.get(category));
    parts.set(part, (parts.get(part) ?? 0) + weights[i]);
  }
  const all = CATEGORIES.map((name) => {
    const parts = [...(sums.get(name) ?? [])].map(([part, ns]) => ({ name: part, ns })).sort((a, b) => b.ns - a.ns);
    return { name, ns: parts.reduce((sum, { ns }) => sum + ns, 0), parts };
  });
  const shares = apportion(
    all.map(({ ns }) => ns),
    PARTS,
  );
  return all.flatMap(({ name, ns, parts }, i) => {
    if (ns === 0) return [];
    const shared = apportion(
      parts.map((part) => part.ns),
      shares[i],
    );
    const named = parts.map((part, k) => ({ ...part, percent: shared[k] / 10 })).filter((part) => part.name !== '');
    return [{ name, ns, percent: shares[i] / 10, parts: named }];
  });
}

module.exports = { CATEGORIES, COLLECTION, COMPILATION, NODE, OTHER, categoriesOf, ownerOf, sampleOwners };
