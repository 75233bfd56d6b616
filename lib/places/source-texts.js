'use strict';

const fs = require('node:fs');
const { messageOf } = require('../base/errors');
const { readScriptFile } = require('../base/script-file');
const { scriptPath } = require('../recording/frames');
const { sumStacks } = require('../recording/model');
const { readCompiledText } = require('./compiled-text');
const { lineStarts } = require('./source-positions');

/**
 * The text of scripts around the lines that have time, for the page: from source maps that hold their sources, else from files, as
 * long as these are what was recorded. Bounded, whatever the scripts are.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('./source-maps').MappedSources} MappedSources
 * @typedef {{ url: string, why?: string, parts?: { line: number, lines: string[] }[] }} SourceText
 *   `why`: there is no text; `line`: of the first of `lines`, 1-based
 *
 * @typedef {object} Wanted what is wanted of a script
 * @property {Set<number>} lines
 * @property {number} sourceLength of what V8 compiled
 * @property {number} ns its own time
 */

/** Lines before and after one that has time. */
const MARGIN = 25;
/** UTF-16 units of a line; the rest of a longer one is left out. */
const LONGEST_LINE = 1000;
/** UTF-16 units of all texts. */
const MOST_TEXT = 4 << 20;
/** A recording that another user has made may name any file of this machine; no other files are shown. */
const SCRIPT_NAME = /\.([cm]?[jt]sx?|vue|svelte|astro|coffee|civet|mdx)$/i;
/** Longer files are not looked into: bundles, whose lines say little. */
const LONGEST_FILE = 16 << 20;

/**
 * Scripts with time, most first.
 * @param {Recording} recording
 * @returns {Map<string, Wanted>} by URL
 */
function wantedScripts(recording) {
  const { frames, stackFrames, stackParents } = recording;
  /** @type {Map<string, Wanted>} */
  const scripts = new Map();
  for (const { kind, url, line, sampledLine, sourceLength } of frames) {
    if (kind !== 'js' || url === '' || line === 0) continue;
    const script = scripts.get(url) ?? { lines: new Set(), sourceLength, ns: 0 };
    script.lines.add(line);
    if (sampledLine > 0) script.lines.add(sampledLine);
    scripts.set(url, script);
  }
  for (const { stack, cpuNs } of sumStacks(recording)) {
    let node = stack;
    while (node !== 0 && frames[stackFrames[node]].kind !== 'js') node = stackParents[node];
    const script = node === 0 ? undefined : scripts.get(frames[stackFrames[node]].url);
    if (script !== undefined) script.ns += cpuNs;
  }
  return new Map([...scripts].sort((a, b) => b[1].ns - a[1].ns));
}

/**
 * @param {string} file
 * @param {number} sinceMs the file must be older, Unix time in milliseconds
 * @returns {string}
 * @throws {Error} why it is not the text
 */
function readOlder(file, sinceMs) {
  if (fs.statSync(file).mtimeMs > sinceMs) throw new Error('its file has been written since');
  return readScriptFile(file);
}

/**
 * @param {string} url
 * @param {Wanted} script
 * @param {MappedSources} mapped
 * @param {number} sinceMs
 * @returns {string}
 * @throws {Error} why there is none
 */
function textOf(url, { sourceLength }, mapped, sinceMs) {
  const kept = mapped.get(url);
  if (typeof kept === 'string') return kept;
  if (url.startsWith('node:')) throw new Error('it is a part of Node.js');
  const file = scriptPath(/** @type {any} */ ({ url }));
  if (file === null) throw new Error('it has no file');
  if (!SCRIPT_NAME.test(file)) throw new Error('its file has no name of a script');
  if (fs.statSync(file).size > LONGEST_FILE) throw new Error(`its file is longer than ${LONGEST_FILE >> 20} MB`);
  if (kept === null) return readOlder(file, sinceMs);
  if (sourceLength === 0) throw new Error('it is not known what ran');
  const compiled = readCompiledText(file, sourceLength);
  if (compiled === null) throw new Error('its file cannot be read');
  if (compiled === 'other') throw new Error('its file is another text than what ran');
  return compiled.text;
}

/**
 * The lines that are wanted, with some around them.
 * @param {string} text
 * @param {Set<number>} wanted
 */
function partsOf(text, wanted) {
  const starts = lineStarts(text);
  const lineAt = (/** @type {number} */ line) =>
    text.slice(starts[line - 1], Math.min(starts[line] ?? text.length, starts[line - 1] + LONGEST_LINE)).trimEnd();
  /** @type {{ line: number, lines: string[] }[]} */
  const parts = [];
  let next = 1;
  for (const line of [...wanted].sort((a, b) => a - b)) {
    if (line > starts.length) break;
    const first = Math.max(next, line - MARGIN);
    const last = Math.min(starts.length, line + MARGIN);
    if (first > next || parts.length === 0) parts.push({ line: first, lines: [] });
    for (next = first; next <= last; next++) parts[parts.length - 1].lines.push(lineAt(next));
  }
  return parts;
}

/**
 * @param {Recording} recording in full view
 * @param {MappedSources} mapped
 * @returns {SourceText[]} one for each script that has time
 */
function sourceTexts(recording, mapped) {
  const sinceMs = recording.startTimeMs + recording.durationNs / 1e6;
  let left = MOST_TEXT;
  return [...wantedScripts(recording)].map(([url, script]) => {
    try {
      if (left <= 0) throw new Error(`a page holds ${MOST_TEXT >> 20} MB of text at most`);
      const parts = partsOf(textOf(url, script, mapped, sinceMs), script.lines);
      for (const { lines } of parts) for (const line of lines) left -= line.length + 1;
      return { url, parts };
    } catch (error) {
      const isGone = /** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT';
      return { url, why: isGone ? 'its file is gone' : messageOf(error) };
    }
  });
}

module.exports = { sourceTexts };
