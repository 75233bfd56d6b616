'use strict';

const path = require('node:path');
const { errors } = require('./errors');
const { summarizeFunctions, totalCpuNs } = require('./model');
const { applySourceMaps } = require('./source-maps');
const { fillSourcePositions } = require('./source-positions');

/**
 * A finished recording and its exports; documented in `index.d.ts`. Exporters are loaded when they are first used.
 *
 * @typedef {import('../binding').NativeRecording} Recording
 */
class Profile {
  /** @type {Recording} */
  #recording;
  /** @type {import('./index').FunctionSummary[] | null} */
  #functions = null;

  /**
   * @param {Recording} recording
   * @param {{ sourceMaps?: boolean }} [settings]
   */
  constructor(recording, { sourceMaps = true } = {}) {
    fillSourcePositions(recording.frames);
    this.sourceMapProblems = sourceMaps ? applySourceMaps(recording.frames) : [];
    this.#recording = recording;
    const { pid, startTimeMs, durationNs, intervalNs, mode, timer, nodeVersion, stoppedCleanly } = recording;
    this.pid = pid;
    this.startTimeMs = startTimeMs;
    this.durationNs = durationNs;
    this.intervalUs = intervalNs / 1000;
    this.mode = mode;
    this.timer = timer;
    this.nodeVersion = nodeVersion;
    this.stoppedCleanly = stoppedCleanly;
    this.threads = recording.threads;
    this.stats = recording.stats;
    this.marks = recording.marks.map(({ name, detail, timeNs, tid }) => ({
      ...{ name, detail: detail === '' ? undefined : JSON.parse(detail), timeMs: timeNs / 1e6 },
      threadId: recording.threads.find((thread) => thread.tid === tid)?.id ?? null,
    }));
    this.cpuNs = totalCpuNs(recording);
    this.sampleCount = recording.sampleTimes.length;
  }

  get functions() {
    this.#functions ??= summarizeFunctions(this.#recording);
    return this.#functions;
  }

  /** @param {number | undefined} threadId */
  #thread(threadId) {
    const { threads } = this;
    const isWanted = (/** @type {import('../binding').NativeThread} */ thread) =>
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
      ...{ cpuNs: 0, sampleCount: 0, overruns: 0, dropped: {} },
    };
  }

  /** @param {number} [threadId] */
  toCpuProfile(threadId) {
    const { toCpuProfile } = require('./exporters/cpuprofile');
    return toCpuProfile(this.#recording, this.#thread(threadId));
  }

  toCollapsed() {
    const { collapsedPieces } = require('./exporters/collapsed');
    return [...collapsedPieces(this.#recording)].join('');
  }

  /** @param {{ limit?: number, folder?: string }} [settings] */
  toText({ limit = 10, folder } = {}) {
    const { reportLines } = require('./exporters/text');
    return `${reportLines(this.#recording, this.functions, this.cpuNs, { limit, folder }).join('\n')}\n`;
  }

  /**
   * @param {import('./exporters/formats').FormatName} format
   * @param {number | undefined} threadId
   * @param {string} file
   * @returns {Iterable<string>}
   */
  #pieces(format, threadId, file) {
    switch (format) {
      case 'cpuprofile': {
        const { cpuProfilePieces } = require('./exporters/cpuprofile');
        return cpuProfilePieces(this.toCpuProfile(threadId));
      }
      case 'collapsed': {
        const { collapsedPieces } = require('./exporters/collapsed');
        return collapsedPieces(this.#recording);
      }
      case 'text':
        return [this.toText({ limit: 100 })];
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
    const { formatByName, formatOfFile } = require('./exporters/formats');
    const name = format === undefined ? formatOfFile(file) : formatByName(format, 'format');
    const { writePieces } = require('./write-pieces');
    await writePieces(file, this.#pieces(name, threadId, file));
    return path.resolve(file);
  }
}

module.exports = { Profile };
