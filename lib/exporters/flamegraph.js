'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { errors, systemReason } = require('../base/errors');
const { measureOf, totalText } = require('../recording/measure');
const { weightsOf } = require('../recording/model');
const { hasProcesses, processName, processOf, processesOf } = require('../recording/recorded-processes');
const { formatNs, plural } = require('../base/units');
const { CATEGORIES, sampleOwners } = require('../views/categories');
const { encodedColumn } = require('./page-columns');
const { eventsOf } = require('./page-events');
const { sumSamples } = require('./page-samples');
const { PageTree } = require('./page-tree');

/**
 * The page: one HTML file that opens offline. It carries the samples, summed up by steps of time, and the stack tree of each view, as
 * columns; `lib/page/src/model/data.mjs` has their description. What draws them is built by `scripts/build-page.js`.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../options/options').View} View
 * @typedef {{ url: string, why?: string, parts?: { line: number, lines: string[] }[] }} SourceText as `lib/places/source-texts.js` has it
 */
/** @template T @typedef {{ program: T, full: T }} Views */
/**
 * @typedef {{ title: string, subtitle: string, view: View, sideOf?: (thread: number) => number, sources?: SourceText[] | null }} About
 *   `view`: that it opens in; `sideOf`: in a difference; `sources`: null: none are wanted
 */

/** @type {readonly string[]} */
const CATEGORY_NAMES = CATEGORIES;
const PAGE = path.join(__dirname, '..', 'page');
/** In this order: what comes later is stronger. */
const STYLES = ['theme', 'page', 'time-line', 'views', 'tables', 'narrow'];

/** JSON that can stand in a script element. @param {unknown} value */
function scriptJson(value) {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}

/** Whose time it was, as the page numbers them: a category, and in it a package, a module or a library. */
class Owners {
  /** @type {{ category: number, part: string }[]} */
  all = [];
  /** @type {Map<string, number>} */
  #numbers = new Map();

  /** @param {string} category @param {string} part '': of none */
  number = (category, part) => {
    const key = `${category}\0${part}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.all.push({ category: CATEGORY_NAMES.indexOf(category), part }) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  };
}

/** @param {Record<string, ArrayLike<number>>} columns @returns {Generator<string>} the inside of an object */
function* columnPieces(columns) {
  let separator = '"columns":{';
  for (const [name, values] of Object.entries(columns)) {
    yield `${separator}${JSON.stringify(name)}:"`;
    yield* encodedColumn(values);
    yield '"';
    separator = ',';
  }
  yield '}';
}

/** Data in an element of its own. @param {string} id @param {object} head @param {Record<string, ArrayLike<number>>} columns */
function* elementPieces(id, head, columns) {
  yield `<script type="application/json" id="${id}">${scriptJson(head).slice(0, -1)},`;
  yield* columnPieces(columns);
  yield '}</script>\n';
}

/**
 * A thread as the page has it. Where a recording has several processes, threads say which theirs is.
 * @param {Recording} recording
 * @param {import('../../binding').NativeThread} thread
 */
function threadEntry(recording, { id, name, kind, tid, processId = 0 }) {
  const own = { id, name: name || 'thread', kind, tid };
  if (!hasProcesses(recording)) return own;
  return { ...own, processId, processName: processName(processOf(recording, { processId })) };
}

/**
 * @param {Views<Recording>} views
 * @param {About} about
 */
function* dataPieces({ program, full }, { title, subtitle, view, sideOf, sources }) {
  // What has one view only, because another profiler has recorded it, has nothing to switch to.
  const names = /** @type {View[]} */ (program === full ? [view] : ['program', 'full']);
  const owners = new Owners();
  const trees = names.map((name) => new PageTree(name === 'program' ? program : full, owners.number));
  const numbers = Array.from(full.sampleTimes, (_, i) => i);
  const ownerOfSample = sampleOwners(program);
  const sampleOwner = numbers.map((i) => {
    const { category, part } = ownerOfSample(i);
    return owners.number(category, part);
  });
  const { samples, bucketCount } = sumSamples(
    full,
    trees.map((tree) => numbers.map((i) => tree.nodeOfSample(i))),
    sampleOwner,
  );
  const threads = full.threads.filter(({ wallNs, cpuNs }) => wallNs > 0 || cpuNs > 0);
  const events = eventsOf(
    full,
    threads.map(({ id }) => id),
  );
  const head = {
    ...{ title, subtitle, mode: full.mode, isDifference: sideOf !== undefined, unit: measureOf(full).unit, view },
    ...{ views: names, bucketMs: full.durationNs / 1e6 / bucketCount, bucketCount },
    threads: threads.map((thread) => threadEntry(full, thread)),
    blocks: full.blocks.map(({ track, block }) => `${track}/${block}`),
    ...{
      hasSources: (sources ?? null) !== null,
      categories: CATEGORIES,
      owners: owners.all,
      marks: events.marks,
      leftOut: events.leftOut,
    },
  };
  yield* elementPieces('profile', head, {
    ...{ sampleThreads: samples.threads, sampleBuckets: samples.buckets, sampleBlocks: samples.blocks },
    ...{ sampleOwners: samples.owners, sampleSides: sideOf === undefined ? [] : samples.threads.map(sideOf) },
    ...{ cpuNs: samples.cpuNs, wallNs: full.mode === 'wall' ? samples.wallNs : [] },
    ...events.columns,
  });
  for (const [i, name] of names.entries()) {
    const tree = trees[i];
    const columns = { ...tree.columns(), stacks: samples.stacks[i] };
    yield* elementPieces(`stacks-${name}`, { functions: tree.functions, places: tree.places }, columns);
  }
  yield `<script type="application/json" id="sources">${scriptJson(sources ?? [])}</script>\n`;
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
  const style = `\n${STYLES.map((name) => part(`style/${name}.css`)).join('')}`;
  const script = `\n${part('dist/page.js')}`;
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  const body = part('body.html')
    .replaceAll('{title}', () => escapeHtml(about.title))
    .replace('{subtitle}', () => escapeHtml(about.subtitle));
  yield `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${policy}">\n`;
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n';
  yield `<title>${escapeHtml(about.title)}</title>\n<style>${style}</style>\n</head>\n<body>\n${body}`;
  yield* dataPieces(views, about);
  yield `<script>${script}</script>\n</body>\n</html>\n`;
}

/** @param {Recording} recording */
function aboutRecording(recording) {
  const { nodeVersion, durationNs, timer, intervalNs, mode, sampleTimes, startTimeMs } = recording;
  const [first, ...others] = processesOf(recording);
  const more = others.length > 0 ? ` and ${plural(others.length, 'process', 'processes')} more` : '';
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
    title: `${processName(first)}${more}: ${what}`,
    subtitle: [`Node ${nodeVersion}`, `${timer}, ${formatNs(intervalNs)}`, `${date} UTC`, 'spprof'].join(' · '),
  };
}

/**
 * @param {Views<Recording>} views
 * @param {View} view that the page opens in
 * @param {SourceText[] | null} sources null: the page is to have no text of sources
 * @returns {Generator<string>}
 */
function flameGraphPieces(views, view, sources) {
  return pagePieces(views, { ...aboutRecording(views.full), view, sources });
}

/**
 * A page that shows what has changed: widths are those of one side, colours what each share has gained or lost.
 * @param {Views<[before: Recording, after: Recording]>} views
 * @param {View} view that the page opens in
 * @param {{ before: string, after: string }} names
 * @returns {Generator<string>}
 */
function differencePieces(views, view, names) {
  const { mergeRecordings } = require('../recording/merge-recordings');
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
