'use strict';

const path = require('node:path');
const { visible } = require('../base/visible');
const { errors } = require('../base/errors');
const { publicFrame } = require('../recording/frames');
const { detailOf } = require('../recording/mark');
const { measureOf } = require('../recording/measure');
const { blocksWithin } = require('../recording/sample-blocks');
const { placeFrames } = require('../places/place-frames');
const { unpackRecording } = require('../native/unpack');
const {
  STATE_GC,
  STATE_INCOMPLETE,
  STATE_OFF_CPU,
  STATE_TRUNCATED,
  summarizeFunctions,
  totalCpuNs,
  totalWeight,
} = require('../recording/model');

/**
 * A finished recording and its exports; documented in `index.d.ts`. Exporters are loaded when they are first used.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 */
class Profile {
  /** @type {Recording} */
  #recording;
  /** @type {import('../index').FunctionSummary[] | null} */
  #functions = null;

  /**
   * @param {Recording} recording
   * @param {{ problems?: string[] }} [settings] `problems`: with its source maps
   */
  constructor(recording, { problems = [] } = {}) {
    this.sourceMapProblems = problems;
    this.#recording = recording;
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
    this.threads = recording.threads;
    this.stats = recording.stats;
    this.marks = recording.marks.map(({ name, detail, timeNs, tid }) => ({
      ...{ name, detail: detailOf(detail), timeMs: timeNs / 1e6 },
      threadId: recording.threads.find((thread) => thread.tid === tid)?.id ?? null,
    }));
    this.cpuNs = totalCpuNs(recording);
    this.wallNs = mode === 'wall' ? totalWeight(recording) : this.cpuNs;
    this.sampleCount = recording.sampleTimes.length;
  }

  /**
   * The profile of what the binding has decoded.
   * @param {import('../../binding').PackedRecording} packed
   * @param {{ sourceMaps?: boolean }} [settings]
   * @returns {Promise<Profile>}
   */
  static async of(packed, settings) {
    const recording = unpackRecording(packed);
    const placing = { ...settings, recorded: packed.sourceMaps };
    return new Profile(recording, { problems: await placeFrames(recording.frames, placing) });
  }

  /**
   * @param {{ threadIds?: number[], fromMs?: number, toMs?: number, isGc?: boolean, block?: string, track?: string }} [which]
   * @returns {Profile}
   */
  filter({ threadIds, fromMs = -Infinity, toMs = Infinity, isGc, block, track } = {}) {
    const { sampleThreads, sampleTimes, sampleStates, sampleBlocks } = this.#recording;
    for (const id of threadIds ?? []) this.#thread(id);
    const wanted = threadIds === undefined ? null : new Set(threadIds);
    const isInBlock = block === undefined && track === undefined ? null : blocksWithin(this.#recording, block, track);
    const { filterRecording } = require('../recording/recording-sets');
    const some = filterRecording(this.#recording, (i) => {
      const timeMs = sampleTimes[i] / 1e6;
      if (timeMs < fromMs || timeMs >= toMs || (wanted !== null && !wanted.has(sampleThreads[i]))) return false;
      if (isInBlock !== null && !isInBlock[sampleBlocks[i]]) return false;
      return isGc === undefined || ((sampleStates[i] & STATE_GC) !== 0) === isGc;
    });
    return new Profile(some, { problems: this.sourceMapProblems });
  }

  /** @param {Profile[]} others @returns {Profile} */
  merge(...others) {
    const all = [this, ...others];
    const stranger = all.find((each) => !(each instanceof Profile));
    if (stranger !== undefined) throw errors.optionType('profile', stranger, 'a profile');
    const { mergeRecordings } = require('../recording/recording-sets');
    const problems = [...new Set(all.flatMap((each) => each.sourceMapProblems))];
    return new Profile(mergeRecordings(all.map((each) => each.#recording)), { problems });
  }

  /** @param {Profile} before */
  diff(before) {
    if (!(before instanceof Profile)) throw errors.optionType('before', before, 'a profile');
    const { compareFunctions } = require('../recording/compare');
    return compareFunctions(before.#recording, this.#recording);
  }

  /** @returns {Generator<import('../index').ProfiledSample>} */
  *samples() {
    const { sampleThreads, sampleTimes, sampleCpuNs, sampleWallNs, sampleStacks, sampleStates } = this.#recording;
    const { sampleBlocks, blocks } = this.#recording;
    const names = [null, ...blocks.map(({ track, block }) => `${track}/${block}`)];
    for (let i = 0; i < sampleTimes.length; i++) {
      yield {
        ...{
          timeMs: sampleTimes[i] / 1e6,
          cpuNs: sampleCpuNs[i],
          wallNs: sampleWallNs[i],
          threadId: sampleThreads[i],
          stackId: sampleStacks[i],
        },
        ...{ isGc: (sampleStates[i] & STATE_GC) !== 0, isTruncated: (sampleStates[i] & STATE_TRUNCATED) !== 0 },
        isIncomplete: (sampleStates[i] & STATE_INCOMPLETE) !== 0,
        isOffCpu: (sampleStates[i] & STATE_OFF_CPU) !== 0,
        block: names[sampleBlocks[i]],
      };
    }
  }

  /** @param {number} stackId @returns {import('../index').StackFrame[]} */
  stack(stackId) {
    const { frames, stackFrames, stackParents } = this.#recording;
    if (!Number.isInteger(stackId) || stackId < 0 || stackId >= stackParents.length) {
      throw errors.optionRange('stackId', stackId, `that of a sample, below ${stackParents.length}`);
    }
    const stack = [];
    for (let node = stackId; node !== 0; node = stackParents[node]) stack.push(publicFrame(frames[stackFrames[node]]));
    return stack;
  }

  get functions() {
    this.#functions ??= summarizeFunctions(this.#recording);
    return this.#functions;
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
      ...{ id: -1, tid: this.pid, name: 'main', kind: /** @type {const} */ ('main') },
      ...{ cpuNs: 0, wallNs: 0, sampleCount: 0, overruns: 0, dropped: {} },
    };
  }

  /** @param {number} [threadId] */
  toCpuProfile(threadId) {
    const { toCpuProfile } = require('../exporters/cpuprofile');
    const { asTimes } = require('../exporters/holdable');
    return toCpuProfile(asTimes(this.#held('cpuprofile')), this.#thread(threadId));
  }

  /** The recording, where the format can hold it. @param {import('../exporters/formats').FormatName} format @param {string} [file] */
  #held(format, file = `a profile as ${format}`) {
    if (this.#recording.importedFrom === undefined) return this.#recording;
    const problem = require('../exporters/holdable').whyNotHeld(this.#recording, format);
    if (problem !== null) throw errors.output(file, problem);
    return this.#recording;
  }

  toCollapsed() {
    const { collapsedPieces } = require('../exporters/collapsed');
    return [...collapsedPieces(this.#held('collapsed'))].join('');
  }

  /** Compressed with gzip, as the format's files are. */
  toPprof() {
    const { gzipSync } = require('node:zlib');
    const { pprofPieces } = require('../exporters/pprof');
    return new Uint8Array(gzipSync(Buffer.concat([...pprofPieces(this.#recording)])));
  }

  toSpeedscope() {
    const { speedscopePieces } = require('../exporters/speedscope');
    return JSON.parse([...speedscopePieces(this.#held('speedscope'))].join(''));
  }

  toFlameGraph() {
    const { flameGraphPieces } = require('../exporters/flamegraph');
    return [...flameGraphPieces(this.#held('flamegraph'))].join('');
  }

  /** @param {{ limit?: number, folder?: string, sort?: 'self' | 'total' }} [settings] */
  toText({ limit = 10, folder, sort = 'self' } = {}) {
    const { reportLines } = require('../exporters/text');
    const functions = sort === 'self' ? this.functions : [...this.functions].sort((a, b) => b.totalNs - a.totalNs);
    return `${reportLines(this.#recording, functions, this.wallNs, { limit, folder, sort }).map(visible).join('\n')}\n`;
  }

  /** @param {{ threshold?: number }} [settings] */
  toTree({ threshold = 0.01 } = {}) {
    const { treePieces } = require('../exporters/tree');
    return [...treePieces(this.#recording, { threshold })].join('');
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
    await writePieces(file, differencePieces(before.#recording, this.#recording, names), {
      isCompressed: isCompressed(file),
    });
  }

  /**
   * @param {import('../exporters/formats').FormatName} format
   * @param {number | undefined} threadId
   * @param {string} file
   * @returns {Iterable<string | Uint8Array>}
   */
  #pieces(format, threadId, file) {
    this.#held(format, file);
    switch (format) {
      case 'cpuprofile': {
        const { cpuProfilePieces } = require('../exporters/cpuprofile');
        return cpuProfilePieces(this.toCpuProfile(threadId));
      }
      case 'collapsed': {
        const { collapsedPieces } = require('../exporters/collapsed');
        return collapsedPieces(this.#recording);
      }
      case 'pprof': {
        const { pprofPieces } = require('../exporters/pprof');
        return pprofPieces(this.#recording);
      }
      case 'speedscope': {
        const { speedscopePieces } = require('../exporters/speedscope');
        return speedscopePieces(this.#recording);
      }
      case 'flamegraph': {
        const { flameGraphPieces } = require('../exporters/flamegraph');
        return flameGraphPieces(this.#recording);
      }
      case 'text':
        return [this.toText({ limit: 100 })];
      case 'markdown': {
        const { markdownPieces } = require('../exporters/markdown');
        return markdownPieces(this.#recording, this.functions, this.wallNs, { limit: 100 });
      }
      case 'log':
        throw errors.output(file, 'a profile in memory has no log; give start() the option dir to keep one');
    }
  }

  /**
   * @param {string} file
   * @param {{ format?: string, threadId?: number }} [settings]
   */
  async write(file, { format, threadId } = {}) {
    if (typeof file !== 'string' || file === '') throw errors.optionType('path', file, 'the name of a file');
    const { formatByName, formatOfFile, isCompressed } = require('../exporters/formats');
    const name = format === undefined ? formatOfFile(file) : formatByName(format, 'format');
    const { writePieces } = require('../base/write-pieces');
    await writePieces(file, this.#pieces(name, threadId, file), { isCompressed: isCompressed(file) });
    return path.resolve(file);
  }
}

module.exports = { Profile };
