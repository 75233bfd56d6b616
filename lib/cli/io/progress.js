'use strict';

/** A line on the terminal while something takes longer than a second. It is wiped when that is done; a file never sees it. */

const PATIENCE_MS = 1000;
const EVERY_MS = 250;
/** ANSI: to the line's beginning, and erase to its end (ECMA-48, EL). */
const WIPE = '\r\u001b[K';

/**
 * @template T
 * @param {{ stderr: { write(text: string): unknown, isTTY?: boolean } }} io
 * @param {string} what is being done: "reading the recording"
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
async function withProgress({ stderr }, what, work) {
  if (stderr.isTTY !== true) return await work;
  const begin = performance.now();
  let isShown = false;
  const timer = setInterval(() => {
    const tookMs = performance.now() - begin;
    if (tookMs < PATIENCE_MS) return;
    isShown = true;
    stderr.write(`${WIPE}spprof: ${what} … ${Math.floor(tookMs / 1000)} s`);
  }, EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (isShown) stderr.write(WIPE);
  }
}

module.exports = { withProgress };
