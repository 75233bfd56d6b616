'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { errors, systemReason } = require('../base/errors');
const { GC, PROGRAM, displayName, placer } = require('../recording/frames');
const { measureOf, totalText } = require('../recording/measure');
const { STATE_GC, numberFunctions, weightsOf } = require('../recording/model');
const { formatNs, plural } = require('../base/units');
const { pageKind } = require('./frame-kinds');
const { encodedColumn, placesOf } = require('./page-columns');
const { shortNames } = require('../recording/native-names');

/**
 * The flame graph page: one HTML file that opens offline. It carries the stack tree and the samples, summed up by steps of
 * time, as columns; `lib/page/src/data.mjs` has their description. What draws them is built by `scripts/build-page.js`.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../options/options').View} View
 */
/** @template T @typedef {{ program: T, full: T }} Views */
/**
 * @typedef {{ title: string, subtitle: string, view: View, sideOf?: (thread: number) => number }} About
 *   `view`: that it opens in; `sideOf`: in a difference
 */

const PAGE = path.join(__dirname, '..', 'page');
/** Steps of the time line, at most. */
const BUCKETS = 400;
/** Samples that a page carries; with more, its steps of time are made longer. */
const MOST_SAMPLES = 1_000_000;

/** The stack tree by functions: frames that differ in line or tier only are one node. */
class FunctionTree {
  parents = [0];
  functionOf = [0];
  /** @type {Map<number, number>} */
  #children = new Map();

  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    const { functionOf, representatives } = numberFunctions(recording.frames);
    const natives = representatives.filter(({ kind }) => kind === 'native');
    const short = shortNames(natives.map(displayName));
    const whereOf = placer(recording.frames);
    this.functions = representatives.flatMap((frame) => {
      const full = displayName(frame);
      const name = frame.kind === 'native' ? short(full) : full;
      const shown = { name, ...(name === full ? {} : { full }), where: whereOf(frame), kind: pageKind(frame) };
      return [
        { ...shown, inlined: false },
        { ...shown, inlined: true },
      ];
    });
    this.frameFunctions = recording.frames.map(({ inlined }, i) => functionOf[i] * 2 + (inlined ? 1 : 0));
    this.gc = this.functions.push({ name: GC, where: '', kind: 'gc', inlined: false }) - 1;
    this.program = this.functions.push({ name: PROGRAM, where: '', kind: 'other', inlined: false }) - 1;
    this.nodeOfStack = new Uint32Array(recording.stackParents.length);
    for (let stack = 1; stack < this.nodeOfStack.length; stack++) {
      const own = this.frameFunctions[recording.stackFrames[stack]];
      this.nodeOfStack[stack] = this.#child(this.nodeOfStack[recording.stackParents[stack]], own);
    }
  }

  /** @param {number} parent @param {number} own */
  #child(parent, own) {
    const key = parent * this.functions.length + own;
    let node = this.#children.get(key);
    if (node === undefined) {
      node = this.parents.push(parent) - 1;
      this.functionOf.push(own);
      this.#children.set(key, node);
    }
    return node;
  }

  /** The node of a sample. @param {number} i */
  nodeOf(i) {
    const { sampleStacks, sampleStates } = this.recording;
    if ((sampleStates[i] & STATE_GC) !== 0) return this.#child(this.nodeOfStack[sampleStacks[i]], this.gc);
    return sampleStacks[i] === 0 ? this.#child(0, this.program) : this.nodeOfStack[sampleStacks[i]];
  }
}

/**
 * @param {Recording} recording
 * @param {FunctionTree} tree
 * @param {number} bucketCount
 * @param {(thread: number) => number} sideOf
 */
function sumSamples(recording, tree, bucketCount, sideOf) {
  const { sampleThreads, sampleTimes, sampleCpuNs, sampleWallNs, sampleBlocks, durationNs } = recording;
  /** @type {Map<string, { stack: number, thread: number, bucket: number, block: number, side: number, cpuNs: number, wallNs: number }>} */
  const sums = new Map();
  for (let i = 0; i < sampleTimes.length; i++) {
    const stack = tree.nodeOf(i);
    const thread = sampleThreads[i];
    const block = sampleBlocks[i];
    const bucket = Math.min(bucketCount - 1, Math.floor((sampleTimes[i] / Math.max(durationNs, 1)) * bucketCount));
    const key = `${thread},${bucket},${stack},${block}`;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { stack, thread, bucket, block, side: sideOf(thread), cpuNs: 0, wallNs: 0 };
      sums.set(key, sum);
    }
    sum.cpuNs += sampleCpuNs[i];
    sum.wallNs += sampleWallNs[i];
  }
  return [...sums.values()];
}

/** JSON that can stand in a script element. @param {unknown} value */
function scriptJson(value) {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}

/**
 * What depends on the view: the stack tree, its functions, and the samples on it.
 * @param {Recording} recording in that view
 * @param {(thread: number) => number} [sideOf] in a difference
 * @returns {Generator<string>} the inside of an object
 */
function* viewPieces(recording, sideOf) {
  const tree = new FunctionTree(recording);
  let bucketCount = Math.max(1, Math.min(BUCKETS, Math.ceil(recording.durationNs / 1e6)));
  let samples = sumSamples(recording, tree, bucketCount, sideOf ?? (() => 0));
  while (samples.length > MOST_SAMPLES && bucketCount > 1) {
    bucketCount = Math.ceil(bucketCount / 4);
    samples = sumSamples(recording, tree, bucketCount, sideOf ?? (() => 0));
  }
  const { places, columns: placeColumns } = placesOf(recording, tree.nodeOfStack, weightsOf(recording));
  const bucketMs = recording.durationNs / 1e6 / bucketCount;
  const head = { functions: tree.functions, places, bucketMs, bucketCount };
  yield `${scriptJson(head).slice(1, -1)},"columns":{`;
  /** @param {'stack' | 'thread' | 'bucket' | 'block' | 'side' | 'cpuNs' | 'wallNs'} key */
  const column = (key) => Float64Array.from(samples, (each) => each[key]);
  /** @type {Record<string, ArrayLike<number>>} */
  const columns = {
    ...{ parents: tree.parents, functionOf: tree.functionOf },
    ...{ stacks: column('stack'), sampleThreads: column('thread'), sampleBuckets: column('bucket') },
    ...{ sampleBlocks: column('block'), sampleSides: column('side'), cpuNs: column('cpuNs') },
    ...(recording.mode === 'wall' ? { wallNs: column('wallNs') } : {}),
    // In a difference they would be those of both sides.
    ...(sideOf === undefined ? placeColumns : {}),
  };
  let separator = '';
  for (const [name, values] of Object.entries(columns)) {
    yield `${separator}${JSON.stringify(name)}:"`;
    yield* encodedColumn(values);
    yield '"';
    separator = ',';
  }
  yield '}';
}

/**
 * @param {Views<Recording>} views
 * @param {About} about
 */
function* dataPieces({ program, full }, { title, subtitle, view, sideOf }) {
  const { mode, threads, blocks } = full;
  const head = {
    ...{ title, subtitle, mode, isDifference: sideOf !== undefined, unit: measureOf(full).unit, view },
    threads: threads
      .filter(({ wallNs, cpuNs }) => wallNs > 0 || cpuNs > 0)
      .map(({ id, name, kind, tid }) => ({ id, label: `${name || 'thread'} (${kind}, ${tid})` })),
    blocks: blocks.map(({ track, block }) => `${track}/${block}`),
  };
  yield `${scriptJson(head).slice(0, -1)},`;
  yield* viewPieces(view === 'program' ? program : full, sideOf);
  // What has one view only, because another profiler has recorded it, has nothing to switch to.
  if (program !== full) {
    yield ',"other":{';
    yield* viewPieces(view === 'program' ? full : program, sideOf);
    yield '}';
  }
  yield '}';
}

/** @param {string} text */
function escapeHtml(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/** What a policy knows a script or a style by. @param {string} text */
function hashOf(text) {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** @param {string} name of a file of lib/page */
function part(name) {
  try {
    // A reader of HTML takes CR LF for LF, and so must the hashes.
    return fs.readFileSync(path.join(PAGE, name), 'utf8').replaceAll('\r\n', '\n');
  } catch (error) {
    throw errors.unavailable(
      `the flame graph page (${systemReason(error)}; node scripts/build-page.js builds it)`,
      'the other formats',
    );
  }
}

/**
 * @param {Views<Recording>} views
 * @param {About} about
 * @returns {Generator<string>}
 */
function* pagePieces(views, about) {
  const style = `\n${part('style.css')}`;
  const script = `\n${part('dist/page.js')}`;
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  const body = part('body.html')
    .replace('{title}', () => escapeHtml(about.title))
    .replace('{subtitle}', () => escapeHtml(about.subtitle));
  yield `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">\n`;
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n';
  yield `<title>${escapeHtml(about.title)}</title>\n<style>${style}</style>\n</head>\n<body>\n${body}`;
  yield '<script type="application/json" id="profile">';
  yield* dataPieces(views, about);
  yield `</script>\n<script>${script}</script>\n</body>\n</html>\n`;
}

/** @param {Recording} recording */
function aboutRecording(recording) {
  const { execPath, pid, nodeVersion, durationNs, timer, intervalNs, mode, sampleTimes, startTimeMs } = recording;
  const date = new Date(startTimeMs).toISOString().replace('T', ' ').slice(0, 19);
  const count = `${plural(sampleTimes.length, 'sample')}${durationNs > 0 ? ` in ${formatNs(durationNs)}` : ''}`;
  const measure = measureOf(recording);
  const what = `${mode === 'wall' ? 'wall' : 'CPU'} time, ${plural(sampleTimes.length, 'sample')} in ${formatNs(durationNs)}`;
  if (recording.importedFrom !== undefined) {
    const all = totalText(
      weightsOf(recording).reduce((sum, value) => sum + value, 0),
      measure,
    );
    return { title: `${all}, ${count}`, subtitle: `read from ${recording.importedFrom} · spprof` };
  }
  return {
    title: `${path.basename(execPath) || 'process'} ${pid}: ${what}`,
    subtitle: [`Node ${nodeVersion}`, `${timer}, ${formatNs(intervalNs)}`, `${date} UTC`, 'spprof'].join(' · '),
  };
}

/** @param {Views<Recording>} views @param {View} view that the page opens in @returns {Generator<string>} */
function flameGraphPieces(views, view) {
  return pagePieces(views, { ...aboutRecording(views.full), view });
}

/**
 * A page that shows what has changed: widths are those of one side, colours what each share has gained or lost.
 * @param {Views<[before: Recording, after: Recording]>} views
 * @param {View} view that the page opens in
 * @param {{ before: string, after: string }} names
 * @returns {Generator<string>}
 */
function differencePieces(views, view, names) {
  const { mergeRecordings } = require('../recording/recording-sets');
  const { comparable } = require('../recording/comparable');
  const firstOfAfter = Math.max(0, ...views.full[0].threads.map(({ id }) => id + 1));
  const program = mergeRecordings(comparable(...views.program));
  const isAlike = views.program.every((recording, side) => recording === views.full[side]);
  const both = { program, full: isAlike ? program : mergeRecordings(comparable(...views.full)) };
  return pagePieces(both, {
    title: `${names.before} → ${names.after}`,
    subtitle: 'Widths are shares of time; red has grown, blue has shrunk since before. · spprof',
    view,
    sideOf: (thread) => (thread >= firstOfAfter ? 1 : 0),
  });
}

module.exports = { flameGraphPieces, differencePieces };
