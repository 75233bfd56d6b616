'use strict';

const path = require('node:path');
const { messageOf } = require('../base/errors');
const { UNPLACED, fromColumns, toColumns } = require('../recording/frame-columns');
const { scriptPath } = require('../recording/frames');
const { MAP_REFERENCE } = require('./map-comment');
const { openScriptFile } = require('../base/script-file');
const { applySourceMaps, byScript, scriptKey } = require('./source-maps');
const { fillSourcePositions, lacksPosition } = require('./source-positions');

/**
 * Completes the places of a recording's frames: positions that V8 had not computed, and those of the original sources. Files
 * are read and maps decoded on a thread of their own, for as long as there is any: the event loop may be a busy server's.
 *
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('./source-maps').MappedSources} MappedSources
 * @typedef {{ sourceMaps: boolean, recorded: import('../../binding').NativeSourceMap[] }} Placing `recorded`: of code compiled in memory
 */

/** How large a piece of a file is read and searched in one go: a turn of the event loop, which is to be short. */
const PIECE = 1 << 18;

/**
 * A script's size, and whether its text names a source map. It does so at its end, if it does not contain the whole map.
 * @param {string} file
 * @returns {Promise<{ bytes: number, namesMap: boolean } | null>} null: it is gone or was never a file; its frames keep what V8 knew
 */
async function lookInto(file) {
  let handle;
  try {
    const opened = await openScriptFile(file);
    handle = opened.handle;
    const bytes = opened.size;
    const piece = Buffer.allocUnsafe(PIECE + MAP_REFERENCE.length);
    for (let end = bytes; end > 0; end -= PIECE) {
      const begin = Math.max(0, end - piece.length);
      const { bytesRead } = await handle.read(piece, 0, end - begin, begin);
      if (piece.subarray(0, bytesRead).includes(MAP_REFERENCE)) return { bytes, namesMap: true };
    }
    return { bytes, namesMap: false };
  } catch {
    return null;
  } finally {
    await handle?.close();
  }
}

/**
 * The numbers of frames about which a file has to say something: that of a place which V8 had not computed, a map, or that V8
 * compiled another text. A text of as many bytes as V8 had UTF-16 units is the same one.
 * @param {Frame[]} frames
 * @param {Placing} placing
 */
async function unplacedFrames(frames, { sourceMaps, recorded }) {
  const inMemory = byScript(recorded);
  /** @type {Map<string, { bytes: number, namesMap: boolean } | null>} */
  const looks = new Map();
  const unplaced = [];
  for (const [i, frame] of frames.entries()) {
    if (lacksPosition(frame)) {
      unplaced.push(i);
    } else if (sourceMaps && frame.kind === 'js' && frame.line > 0) {
      const file = scriptPath(frame);
      if (inMemory.has(scriptKey(frame))) unplaced.push(i);
      if (file === null || unplaced.at(-1) === i) continue;
      let look = looks.get(file);
      if (look === undefined) {
        look = await lookInto(file);
        looks.set(file, look);
      }
      const isOther = look !== null && frame.sourceLength > 0 && frame.sourceLength !== look.bytes;
      if (look?.namesMap || isOther) unplaced.push(i);
    }
  }
  return unplaced;
}

/**
 * Changes frames in place.
 * @param {Frame[]} frames
 * @param {Placing} placing
 * @param {MappedSources} [sources] becomes those that maps lead to
 * @returns {string[]} one sentence for each script whose map could not be used
 */
function placeHere(frames, { sourceMaps, recorded }, sources = new Map()) {
  fillSourcePositions(frames);
  return sourceMaps ? applySourceMaps(frames, recorded, sources) : [];
}

/**
 * As `placeHere`, on a thread.
 * @param {Frame[]} frames
 * @param {Placing} placing
 * @param {MappedSources} sources
 * @returns {Promise<string[]>}
 */
async function placeOnAThread(frames, placing, sources) {
  const { Worker } = require('node:worker_threads');
  const worker = new Worker(path.join(__dirname, 'place-frames-worker.js'), {
    // Not what the program gives its own workers: a preload would begin to record.
    ...{ name: 'spprof-source-maps', execArgv: [], env: {} },
    workerData: { count: frames.length, columns: toColumns(frames, UNPLACED), placing },
  });
  const placed = await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (status) => reject(new Error(`the thread ended with status ${status}`)));
  });
  fromColumns(frames, placed.columns);
  for (const [url, text] of placed.sources) sources.set(url, text);
  return placed.problems;
}

/**
 * Completes frames in place.
 * @param {Frame[]} frames
 * @param {Partial<Placing> & { sources?: MappedSources }} [settings] `sources`: becomes those that maps lead to, with their texts
 * @returns {Promise<string[]>} one sentence for each script whose map could not be used
 */
async function placeFrames(frames, { sourceMaps = true, recorded = [], sources = new Map() } = {}) {
  const unplaced = await unplacedFrames(frames, { sourceMaps, recorded });
  if (unplaced.length === 0) return [];
  const own = unplaced.map((i) => frames[i]);
  const keys = new Set(own.map(scriptKey));
  const placing = { sourceMaps, recorded: recorded.filter((map) => keys.has(scriptKey({ ...map, url: map.script }))) };
  try {
    return await placeOnAThread(own, placing, sources);
  } catch (error) {
    // Threads may be forbidden (--permission), or the map too large for one.
    if (/** @type {any} */ (error).code === 'ERR_ACCESS_DENIED') return placeHere(own, placing, sources);
    return [`source maps are not used: ${messageOf(error)}`];
  }
}

module.exports = { placeFrames, placeHere };
