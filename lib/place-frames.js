'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { messageOf } = require('./errors');
const { scriptPath } = require('./frames');
const { MAP_REFERENCE, applySourceMaps } = require('./source-maps');
const { fillSourcePositions, lacksPosition } = require('./source-positions');

/**
 * Completes the places of a recording's frames: positions that V8 had not computed, and those of the original sources. Files
 * are read and maps decoded on a thread of their own, for as long as there is any: the event loop may be a busy server's.
 *
 * @typedef {import('../binding').NativeFrame} Frame
 */

/** How large a piece of a file is searched in one go. */
const PIECE = 1 << 20;

/**
 * Whether a script's text names a source map. One that cannot be read has none.
 * @param {string} file
 */
async function namesSourceMap(file) {
  let text;
  try {
    text = await fs.promises.readFile(file);
  } catch {
    return false; // The script is gone or was never a file; its frames keep what V8 knew.
  }
  for (let end = text.length; end > 0; end -= PIECE) {
    const piece = text.subarray(Math.max(0, end - PIECE - MAP_REFERENCE.length), end);
    if (piece.lastIndexOf(MAP_REFERENCE) >= 0) return true;
    if (end > PIECE) await new Promise(setImmediate);
  }
  return false;
}

/**
 * The numbers of frames about which a file has to say something.
 * @param {Frame[]} frames
 * @param {boolean} sourceMaps
 */
async function unplacedFrames(frames, sourceMaps) {
  /** @type {Map<string, boolean>} */
  const mapped = new Map();
  const unplaced = [];
  for (const [i, frame] of frames.entries()) {
    if (lacksPosition(frame)) {
      unplaced.push(i);
    } else if (sourceMaps && frame.kind === 'js' && frame.line > 0) {
      const file = scriptPath(frame);
      if (file === null) continue;
      if (!mapped.has(file)) mapped.set(file, await namesSourceMap(file));
      if (mapped.get(file)) unplaced.push(i);
    }
  }
  return unplaced;
}

/**
 * Changes frames in place.
 * @param {Frame[]} frames
 * @param {boolean} sourceMaps
 * @returns {string[]} one sentence for each script whose map could not be used
 */
function placeHere(frames, sourceMaps) {
  fillSourcePositions(frames);
  return sourceMaps ? applySourceMaps(frames) : [];
}

/**
 * @param {Frame[]} frames
 * @param {boolean} sourceMaps
 * @returns {Promise<{ frames: Frame[], problems: string[] }>}
 */
function placeOnAThread(frames, sourceMaps) {
  const { Worker } = require('node:worker_threads');
  return new Promise((resolve, reject) => {
    const worker = new Worker(path.join(__dirname, 'place-frames-worker.js'), {
      // Not what the program gives its own workers: a preload would begin to record.
      ...{ name: 'spprof-source-maps', execArgv: [], env: {}, workerData: { frames, sourceMaps } },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (status) => reject(new Error(`the thread ended with status ${status}`)));
  });
}

/**
 * Completes frames in place.
 * @param {Frame[]} frames
 * @param {{ sourceMaps?: boolean }} [settings]
 * @returns {Promise<string[]>} one sentence for each script whose map could not be used
 */
async function placeFrames(frames, { sourceMaps = true } = {}) {
  const unplaced = await unplacedFrames(frames, sourceMaps);
  if (unplaced.length === 0) return [];
  const own = unplaced.map((i) => frames[i]);
  try {
    const placed = await placeOnAThread(own, sourceMaps);
    for (const [i, frame] of own.entries()) Object.assign(frame, placed.frames[i]);
    return placed.problems;
  } catch (error) {
    // Threads may be forbidden (--permission), or the map too large for one.
    if (/** @type {any} */ (error).code === 'ERR_ACCESS_DENIED') return placeHere(own, sourceMaps);
    return [`source maps are not used: ${messageOf(error)}`];
  }
}

module.exports = { placeFrames, placeHere };
