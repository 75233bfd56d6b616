'use strict';

const path = require('node:path');
const { visible } = require('../base/visible');
const { errors } = require('../base/errors');
const { publicFrame } = require('../recording/frames');
const { OPTIONS } = require('../options/options');
const { checkValue } = require('../options/option-values');
const { detailOf } = require('../recording/mark');
const { measureOf } = require('../recording/measure');
const { isMarkOf, processesWithSums } = require('../recording/recorded-processes');
const { placeFrames } = require('../places/place-frames');
const { unpackRecording } = require('../native/unpack');
const { summarizeFunctions, totalCpuNs, totalWeight } = require('../recording/model');

/** @param {View | null | undefined} view @returns {View | null} @throws {Error} `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE` */
function checkView(view) {
  if (view === undefined || view === null) return null;
  return /** @type {View} */ (checkValue(OPTIONS.view, 'view', view));
}

/**
 * A finished recording and its exports; documented in `index.d.ts`. Exporters are loaded when they are first used.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../options/options').View} View
 * @typedef {import('../places/source-maps').MappedSources} MappedSources
 */
class Profile {
  /** @type {Recording} in full view */
  #recording;
  /** @type {MappedSources | null} */
  #sources;
  /** @type {Recording | null} */
  #program = null;
  /** @type {View | null} what was asked for; null: each output has its own */
  #view;
  /** @type {Partial<Record<View, import('../index').FunctionSummary[]>>} */
  #functions = {};
  /** @type {import('../index').Category[] | null} */
  #categories = null;

  /**
   * @param {Recording} recording
   * @param {{ problems?: string[], view?: View | null, sources?: MappedSources | null }} [settings] `problems`: with its source maps;
   *   `sources`: those that maps lead to; null: pages have no text of sources
   */
  constructor(recording, { problems = [], view = null, sources = new Map() } = {}) {
    this.#sources = sources;
    this.sourceMapProblems = problems;
    this.#recording = recording;
    this.#view = checkView(view);
    const { pid, startTimeMs, durationNs, intervalNs, mode, timer, nodeVersion, stoppedCleanly } = recording;
    this.pid = pid;
    this.startTimeMs = startTimeMs;
    this.durationNs = durationNs;
    this.intervalUs = intervalNs / 1000;
    this.mode = mode;
    this.measure = measureOf(recording);
    this.isOneThread = recording.isOneThread === true;
    this.timer = timer;
    this.nodeVersion = nodeVersion;
    this.stoppedCleanly = stoppedCleanly;
    this.threads = recording.threads.map((thread) => ({ ...thread, processId: thread.processId ?? 0 }));
    this.processes = processesWithSums(recording);
    this.stats = recording.stats;
    this.marks = recording.marks.map((mark) => ({
      ...{ name: mark.name, detail: detailOf(mark.detail), timeMs: mark.timeNs / 1e6 },
      threadId: recording.threads.find((thread) => isMarkOf(mark, thread))?.id ?? null,
    }));
    this.cpuNs = totalCpuNs(recording);
    this.wallNs = mode === 'wall' ? totalWeight(recording) : this.cpuNs;
    this.sampleCount = recording.sampleTimes.length;
  }

  /**
   * The profile of what the binding has decoded.
   * @param {import('../../binding').PackedRecording} packed
   * @param {{ sourceMaps?: boolean, sources?: boolean, view?: View | null, program?: string }} [settings] `sources`: pages have text of
   *   sources; `program`: its name, where it is known
   * @returns {Promise<Profile>}
   */
  static async of(packed, { sourceMaps, sources: hasSources = true, view, program } = {}) {
    const recording = { ...unpackRecording(packed), program };
    /** @type {MappedSources} */
    const sources = new Map();
    const problems = await placeFrames(recording.frames, { sourceMaps, recorded: packed.sourceMaps, sources });
    return new Profile(recording, { problems, view, sources: hasSources ? sources : null });
  }

  /** @param {View} view @returns {Profile} */
  inView(view) {
    if (view === undefined || view === null) throw errors.optionType('view', view, "one of 'program', 'full'");
    const same = new Profile(this.#recording, { problems: this.sourceMapProblems, view, sources: this.#sources });
    same.#program = this.#program;
    return same;
  }

  /** The recording in a view: the one given, that of the profile, or else the output's own. @param {View | null | undefined} view @param {View} own */
  #seen(view, own) {
    if ((checkView(view) ?? this.#view ?? own) === 'full') return this.#recording;
    const { programView } = require('../views/program-view');
    this.#program ??= programView(this.#recording);
    return this.#program;
  }

  /** What `functions`, samples and stacks are of. */
  get #own() {
    return this.#seen(null, 'full');
  }

  /** @param {import('./chosen-samples').Choice} [which] @returns {Profile} */
  filter(which = {}) {
    const { chosenSamples } = require('./chosen-samples');
    const { filterRecording } = require('../recording/recording-sets');
    for (const id of which.threadIds ?? []) this.#thread(id);
    const some = filterRecording(this.#recording, chosenSamples(this.#recording, which), which.processIds);
    return new Profile(some, { problems: this.sourceMapProblems, view: this.#view, sources: this.#sources });
  }

  /** @param {Profile[]} others @returns {Profile} */
  merge(...others) {
    const stranger = others.find((each) => !(each instanceof Profile));
    if (stranger !== undefined) throw errors.optionType('profile', stranger, 'a profile');
    return Profile.#join([this, ...others], { anyInterval: false });
  }

  /**
   * Recordings of the processes of one command as one, in this order.
   * @param {Profile[]} profiles one or more, of one mode
   * @param {string[]} [warnings] about what is not among them
   * @returns {Profile}
   */
  static ofProcesses(profiles, warnings = []) {
    if (profiles.length === 1 && warnings.length === 0) return profiles[0];
    return Profile.#join(profiles, { anyInterval: true, warnings });
  }

  /** @param {Profile[]} all @param {{ anyInterval: boolean, warnings?: string[] }} settings */
  static #join(all, settings) {
    const { mergeRecordings } = require('../recording/merge-recordings');
    const problems = [...new Set(all.flatMap((each) => each.sourceMapProblems))];
    const recordings = all.map((each) => each.#recording);
    const [first] = all;
    const sources = first.#sources === null ? null : new Map(all.flatMap((each) => [...(each.#sources ?? [])]));
    return new Profile(mergeRecordings(recordings, settings), { problems, view: first.#view, sources });
  }

  /**
   * Both recordings in one view. A file of another format has the view that it was written in, and the other side follows it.
   * @param {Profile} before @param {View} view @returns {[before: Recording, after: Recording]}
   */
  #pair(before, view) {
    if (!(before instanceof Profile)) throw errors.optionType('before', before, 'a profile');
    const { viewWritten } = require('../views/program-view');
    const both = [before, this];
    const file = both.find((each) => each.#recording.importedFrom !== undefined);
    const common = file === undefined ? view : viewWritten(file.#recording);
    return [before.#seen(common, common), this.#seen(common, common)];
  }

  /** @param {Profile} before @param {{ view?: View }} [settings] */
  diff(before, { view } = {}) {
    const { compareFunctions } = require('../recording/compare');
    return compareFunctions(...this.#pair(before, checkView(view) ?? this.#view ?? 'program'));
  }

  /** @param {Profile} before @param {{ limit?: number, view?: View }} [settings] */
  compare(before, { limit = 0.05, view } = {}) {
    if (typeof limit !== 'number' || !(limit >= 0)) throw errors.optionRange('limit', limit, 'a share of at least 0');
    const { findRegressions } = require('../recording/regressions');
    return findRegressions(...this.#pair(before, checkView(view) ?? this.#view ?? 'program'), limit);
  }

  /** @returns {Generator<import('../index').ProfiledSample>} */
  samples() {
    const { profiledSamples } = require('../recording/profiled-samples');
    return profiledSamples(this.#own);
  }

  /** @param {number} stackId @returns {import('../index').StackFrame[]} */
  stack(stackId) {
    const { frames, stackFrames, stackParents } = this.#own;
    if (!Number.isInteger(stackId) || stackId < 0 || stackId >= stackParents.length) {
      throw errors.optionRange('stackId', stackId, `that of a sample, below ${stackParents.length}`);
    }
    const stack = [];
    for (let node = stackId; node !== 0; node = stackParents[node]) stack.push(publicFrame(frames[stackFrames[node]]));
    return stack;
  }

  get functions() {
    return this.#functionsIn(this.#view ?? 'full');
  }

  /** @param {View} view */
  #functionsIn(view) {
    this.#functions[view] ??= summarizeFunctions(this.#seen(view, view));
    return this.#functions[view];
  }

  get categories() {
    const { categoriesOf } = require('../views/categories');
    this.#categories ??= categoriesOf(this.#seen('program', 'program'));
    return this.#categories;
  }

  /** @param {number | undefined} threadId */
  #thread(threadId) {
    const { threads } = this;
    const isWanted = (/** @type {import('../../binding').NativeThread} */ thread) =>
      threadId === undefined ? thread.kind === 'main' : thread.id === threadId;
    const thread = threads.find(isWanted) ?? (threadId === undefined ? this.#unseenMain() : undefined);
    if (thread !== undefined) return thread;
    const available = threads.map(({ id, name }) => `${id} (${name})`).join(', ') || 'none';
    throw errors.unknownThread(threadId, available);
  }

  /** Stands for the main thread of a process that ended before any thread was seen. */
  #unseenMain() {
    return {
      ...{ id: -1, processId: 0, tid: this.pid, name: 'main', kind: /** @type {const} */ ('main') },
      ...{ cpuNs: 0, wallNs: 0, sampleCount: 0, overruns: 0, dropped: {} },
    };
  }

  /** @param {number} [threadId] @param {{ view?: View }} [settings] */
  toCpuProfile(threadId, { view } = {}) {
    const { toCpuProfile } = require('../exporters/cpuprofile');
    const { asTimes } = require('../exporters/holdable');
    return toCpuProfile(asTimes(this.#held('cpuprofile', view)), this.#thread(threadId));
  }

  /**
   * The recording in the format's view, where the format can hold it.
   * @param {import('../exporters/formats').FormatName} format @param {View | undefined} view @param {string} [file]
   */
  #held(format, view, file = `a profile as ${format}`) {
    const recording = this.#seen(view, require('../exporters/formats').FORMATS[format].view);
    if (recording.importedFrom === undefined) return recording;
    const problem = require('../exporters/holdable').whyNotHeld(recording, format);
    if (problem !== null) throw errors.output(file, problem);
    return recording;
  }

  /** @param {{ view?: View }} [settings] */
  toCollapsed({ view } = {}) {
    return [...this.#pieces('collapsed', { view }, 'a profile as collapsed')].join('');
  }

  /** Compressed with gzip, as the format's files are. @param {{ view?: View }} [settings] */
  toPprof({ view } = {}) {
    const { gzipSync } = require('node:zlib');
    const pieces = /** @type {Iterable<Uint8Array>} */ (this.#pieces('pprof', { view }, 'a profile as pprof'));
    return new Uint8Array(gzipSync(Buffer.concat([...pieces])));
  }

  /** @param {{ view?: View }} [settings] */
  toSpeedscope({ view } = {}) {
    return JSON.parse([...this.#pieces('speedscope', { view }, 'a profile as speedscope')].join(''));
  }

  /** @param {{ view?: View }} [settings] */
  toFirefox({ view } = {}) {
    return JSON.parse([...this.#pieces('firefox', { view }, 'a profile as firefox')].join(''));
  }

  /** @param {{ view?: View }} [settings] */
  toTrace({ view } = {}) {
    return JSON.parse([...this.#pieces('trace', { view }, 'a profile as trace')].join(''));
  }

  /** @param {{ view?: View }} [settings] */
  toFlameGraph({ view } = {}) {
    return [...this.#pagePieces(view)].join('');
  }

  /** Both views, opened in this one. @param {View | undefined} view */
  #pagePieces(view) {
    const { flameGraphPieces } = require('../exporters/flamegraph');
    this.#held('flamegraph', view);
    const views = { program: this.#seen('program', 'program'), full: this.#recording };
    const { sourceTexts } = require('../places/source-texts');
    const sources = this.#sources === null ? null : sourceTexts(this.#recording, this.#sources);
    return flameGraphPieces(views, checkView(view) ?? this.#view ?? 'program', sources);
  }

  /** @param {{ limit?: number, folder?: string, sort?: 'self' | 'total', view?: View, hasEngine?: boolean }} settings */
  #report({ limit = 10, folder, sort = 'self', view, hasEngine = false }) {
    const seen = checkView(view) ?? this.#view ?? 'program';
    const functions = this.#functionsIn(seen);
    const ordered = sort === 'self' ? functions : [...functions].sort((a, b) => b.totalNs - a.totalNs);
    const settings = { limit, folder, sort, hasEngine };
    const own = { recording: this.#seen(seen, seen), functions: ordered, ns: this.wallNs };
    return { ...own, categories: this.categories, ...settings };
  }

  /** @param {{ limit?: number, folder?: string, sort?: 'self' | 'total', view?: View, hasEngine?: boolean }} [settings] */
  toText(settings = {}) {
    const { reportLines } = require('../exporters/text');
    return `${reportLines(this.#report(settings), this.advice(settings)).map(visible).join('\n')}\n`;
  }

  /** @param {{ folder?: string }} [settings] */
  advice({ folder } = {}) {
    const { advise } = require('../advice/advise');
    return advise(this.#recording, this.#seen('program', 'program'), { folder });
  }

  /** The parts of the summary that the command prints. @param {{ limit?: number, folder?: string, hasEngine?: boolean }} settings */
  summaryParts(settings) {
    const { summaryParts } = require('../exporters/text');
    return summaryParts(this.#report(settings));
  }

  /** @param {{ threshold?: number, view?: View }} [settings] */
  toTree({ threshold = 0.01, view } = {}) {
    const { treePieces } = require('../exporters/tree');
    return [...treePieces(this.#seen(view, 'program'), { threshold })].join('');
  }

  /**
   * @param {Profile} before
   * @param {string} file
   * @param {{ before: string, after: string }} names
   */
  async writeDifference(before, file, names) {
    const { differencePieces } = require('../exporters/flamegraph');
    const { isCompressed } = require('../exporters/formats');
    const { writePieces } = require('../base/write-pieces');
    /** @type {import('../exporters/flamegraph').Views<[Recording, Recording]>} */
    const views = { program: this.#pair(before, 'program'), full: this.#pair(before, 'full') };
    await writePieces(file, differencePieces(views, this.#view ?? 'program', names), {
      isCompressed: isCompressed(file),
    });
  }

  /**
   * @param {import('../exporters/formats').FormatName} format
   * @param {{ threadId?: number, view?: View }} settings
   * @param {string} file
   * @returns {Iterable<string | Uint8Array>}
   */
  #pieces(format, { threadId, view }, file) {
    const recording = this.#held(format, view, file);
    switch (format) {
      case 'cpuprofile': {
        const { cpuProfilePieces } = require('../exporters/cpuprofile');
        return cpuProfilePieces(this.toCpuProfile(threadId, { view }));
      }
      case 'flamegraph':
        return this.#pagePieces(view);
      case 'text':
        return [this.toText({ limit: 100, view })];
      case 'markdown': {
        const { markdownPieces } = require('../exporters/markdown');
        return markdownPieces(this.#report({ limit: 100, view }), this.advice());
      }
      case 'log':
        throw errors.output(file, 'a profile in memory has no log; give start() the option dir to keep one');
      default:
        return require('../exporters/format-pieces').EXPORTERS[format](recording);
    }
  }

  /**
   * @param {string} file
   * @param {{ format?: string, threadId?: number, view?: View }} [settings]
   */
  async write(file, { format, ...settings } = {}) {
    if (typeof file !== 'string' || file === '') throw errors.optionType('path', file, 'the name of a file');
    const { formatByName, formatOfFile, isCompressed } = require('../exporters/formats');
    const name = format === undefined ? formatOfFile(file) : formatByName(format, 'format');
    const { writePieces } = require('../base/write-pieces');
    await writePieces(file, this.#pieces(name, settings, file), { isCompressed: isCompressed(file) });
    return path.resolve(file);
  }
}

module.exports = { Profile };
