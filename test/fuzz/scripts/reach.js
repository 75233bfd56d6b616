'use strict';

/** How much of some folder's JavaScript has run in this process, as V8's coverage of blocks says. */

const fs = require('node:fs');
const inspector = require('node:inspector');
const { pathToFileURL } = require('node:url');

class Reach {
  #session = new inspector.Session();
  #folder;
  /** Of each script: for each character, whether it has run. @type {Map<string, Uint8Array>} */
  #scripts = new Map();

  /** Counts scripts of the folder that are loaded from now on. @param {string} folder @param {string} file of an earlier process's reach, or none */
  constructor(folder, file) {
    this.#folder = `${pathToFileURL(folder)}/`;
    if (fs.existsSync(file)) {
      const kept = Object.entries(JSON.parse(fs.readFileSync(file, 'utf8')));
      this.#scripts = new Map(kept.map(([url, text]) => [url, Uint8Array.from(Buffer.from(text, 'base64'))]));
    }
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** @returns {number} characters that have run at least once so far */
  count() {
    // V8 answers before post() returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      for (const script of answer.result) if (script.url.startsWith(this.#folder)) this.#add(script);
    });
    return this.known();
  }

  /** @returns {number} what count() gave last, or an earlier process has reached */
  known() {
    let count = 0;
    for (const hasRun of this.#scripts.values()) for (const each of hasRun) count += each;
    return count;
  }

  /** For a later process. @param {string} file */
  write(file) {
    const entries = [...this.#scripts].map(([url, hasRun]) => [url, Buffer.from(hasRun).toString('base64')]);
    fs.writeFileSync(file, JSON.stringify(Object.fromEntries(entries)));
  }

  /** A range's count holds where no range within it has another. @param {inspector.Profiler.ScriptCoverage} script */
  #add({ url, functions }) {
    const ranges = functions.flatMap((each) => each.ranges);
    const size = Math.max(0, ...ranges.map(({ endOffset }) => endOffset));
    const now = new Uint8Array(size);
    for (const { startOffset, endOffset, count } of ranges.sort(
      (a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset,
    )) {
      now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
    const before = this.#scripts.get(url);
    if (before === undefined || before.length < size) {
      const larger = new Uint8Array(size);
      larger.set(before ?? []);
      this.#scripts.set(url, larger);
    }
    const all = /** @type {Uint8Array} */ (this.#scripts.get(url));
    for (let at = 0; at < size; at++) all[at] |= now[at];
  }
}

module.exports = { Reach };
