'use strict';

const { fileURLToPath, pathToFileURL } = require('node:url');
const { readCompiledText } = require('./compiled-text');
const { messageOf } = require('../base/errors');
const { scriptPath } = require('../recording/frames');
const { decodeDataUrl, findMapReference } = require('./map-comment');
const { readScriptFile } = require('../base/script-file');
const { lineStarts } = require('./source-positions');

/** Puts original names, files and lines in the place of generated ones, where a script has a source map. */

/** @typedef {import('../../binding').NativeFrame} Frame */
/** @typedef {import('../../binding').NativeSourceMap} NativeSourceMap */
/** By URL, its text where a map holds it. @typedef {Map<string, string | null>} MappedSources */
/** @typedef {{ url: string, line: number, column: number, name: string | null, isExact: boolean }} Original 1-based */
/**
 * @typedef {object} MappedScript
 * @property {(line: number, column: number) => Original | null} originalAt 1-based; of any position, also a sampled one
 * @property {(url: string) => string | null} contentOf a source's text, where the map holds it
 * @property {string} text
 * @property {number[]} starts of lines
 * @property {number} indent by how many columns V8 had the first line further right
 */

/** What may stand before a map's JSON: a byte order mark, and a line that keeps pages from running it as a script. */
const JSON_GUARD = /^\uFEFF?(?:\)]}'[^\n]*\n?)?/;
/** More lines no script has that was compiled in memory. */
const MAX_LINES = 1 << 22;
/** UTF-16 units of a source's text, and of all, that a profile keeps for the page. */
const LONGEST_SOURCE = 1 << 20;
const MOST_SOURCES = 16 << 20;
/** How far from its parameters a function's name is looked for, UTF-16 units. */
const NAME_REACH = 256;

/**
 * The map that a script names, and the URL that the map's sources are relative to.
 * @param {string} reference
 * @param {string} script its path
 */
function readMap(reference, script) {
  const base = pathToFileURL(script).href;
  const own = decodeDataUrl(reference);
  if (own !== null) return { json: own, url: base };
  const url = new URL(reference, base);
  return { json: readScriptFile(fileURLToPath(url)), url: url.href };
}

/**
 * The sections of a map of maps begin somewhere in the script. The reader of maps makes a table that has all lines up to
 * a section's: of line 1e12 it would take all memory.
 * @param {any} map
 * @param {number} lineCount of the script
 */
function checkSections(map, lineCount) {
  for (const { offset, map: part } of map?.sections ?? []) {
    const isInside = [offset?.line, offset?.column].every((number) => Number.isInteger(number) && number >= 0);
    if (!isInside || offset.line >= lineCount) throw new Error('a section of it begins outside of the script');
    checkSections(part, lineCount - offset.line);
  }
}

/**
 * @param {string} script its path
 * @param {number} sourceLength of what V8 compiled; 0: unknown
 * @returns {MappedScript | 'other' | null} `'other'`: V8 compiled another text; null: its frames keep what V8 knew
 * @throws when the map that it names cannot be read
 */
function readMappedScript(script, sourceLength) {
  const compiled = readCompiledText(script, sourceLength);
  if (compiled === null || compiled === 'other') return compiled;
  const { text, indent } = compiled;
  const reference = findMapReference(text);
  if (reference === null) return null;
  const { json, url } = readMap(reference, script);
  return mappedScript(json, url, { text, starts: lineStarts(text), indent });
}

/**
 * @param {string} json
 * @param {string} url that the map's sources are relative to
 * @param {{ text: string, starts: number[], indent: number, lineCount?: number }} script
 * @returns {MappedScript}
 * @throws when it is no map
 */
function mappedScript(json, url, { text, starts, indent, lineCount = starts.length }) {
  const { AnyMap, originalPositionFor, sourceContentFor, traceSegment } = require('@jridgewell/trace-mapping');
  const content = JSON.parse(json.replace(JSON_GUARD, ''));
  checkSections(content, lineCount);
  const map = new AnyMap(content, url);
  return {
    ...{ text, starts, indent },
    contentOf: (source) => sourceContentFor(map, source),
    originalAt(line, column) {
      const { source, line: row, column: at, name } = originalPositionFor(map, { line, column: column - 1 });
      if (typeof source !== 'string') return null; // No segment there, or one of a source that the map does not list.
      const isExact = traceSegment(map, line - 1, column - 1)?.[0] === column - 1;
      return { url: source, line: row, column: at + 1, name, isExact };
    },
  };
}

/** What scripts are known by: a path and its URL are the same. @param {{ url: string, sourceLength: number }} frame */
function scriptKey({ url, sourceLength }) {
  return `${sourceLength}\0${scriptPath(/** @type {Frame} */ ({ url })) ?? url}`;
}

/**
 * Maps of code that was compiled in memory, by `scriptKey`.
 * @param {NativeSourceMap[]} maps
 * @returns {Map<string, NativeSourceMap>}
 */
function byScript(maps) {
  return new Map(maps.map((map) => [scriptKey({ url: map.script, sourceLength: map.sourceLength }), map]));
}

/** @param {NativeSourceMap} recorded @throws when it is no map */
function recordedScript({ script, sourceLength, map }) {
  const base = script.startsWith('/') ? pathToFileURL(script).href : script;
  const json = decodeDataUrl(map);
  if (json === null) throw new Error('it is no data: URL');
  return mappedScript(json, base, {
    text: '',
    starts: [0],
    indent: 0,
    lineCount: Math.min(sourceLength + 1, MAX_LINES),
  });
}

/**
 * The original name: what the map says of the token that is the function's name, before its parameters. A map may name
 * other things nearby, which are not the function; so the generated name must stand there, and its segment begin there.
 * @param {MappedScript} script
 * @param {Frame} frame
 */
function originalName({ text, starts, originalAt }, { functionName, line, column }) {
  if (functionName === '' || line > starts.length) return functionName;
  const position = starts[line - 1] + column - 1;
  const before = text.slice(Math.max(0, position - NAME_REACH, starts[line - 1]), position);
  const token = /([\p{ID_Continue}$]+)\s*(?:[=:]\s*(?:async\b\s*)?(?:function\b\s*\*?\s*)?)?$/u.exec(before);
  if (token === null || token[1] !== functionName) return functionName;
  const original = originalAt(line, column - before.length + token.index);
  return original?.isExact && original.name ? original.name : functionName;
}

/**
 * The sampled line in the function's own source. Unknown where the map puts it into another one (a bundler's helper, a
 * macro): a frame has one URL.
 * @param {MappedScript} script
 * @param {Frame} frame
 * @param {string} url of the function's source
 */
function originalSampled(script, { sampledLine, sampledColumn }, url) {
  const original = sampledLine > 0 && sampledColumn > 0 ? script.originalAt(sampledLine, sampledColumn) : null;
  if (original?.url !== url) return { sampledLine: 0, sampledColumn: 0 };
  return { sampledLine: original.line, sampledColumn: original.column };
}

/**
 * A source's URL in the form that the script's had: a path where V8 had a path.
 * @param {string} source
 * @param {string} scriptUrl
 */
function sourceUrl(source, scriptUrl) {
  if (scriptUrl.startsWith('file:')) return source;
  return scriptPath(/** @type {Frame} */ ({ url: source })) ?? source;
}

/** What a profile keeps of a source's text: all or nothing. @param {string | null} content @param {MappedSources} sources so far */
function keptContent(content, sources) {
  if (content === null || content.length > LONGEST_SOURCE) return null;
  let kept = content.length;
  for (const text of sources.values()) kept += text?.length ?? 0;
  return kept <= MOST_SOURCES ? content : null;
}

/** A line of a text that is not the file's is no line of the file. @param {Frame} frame */
function forgetPlace(frame) {
  Object.assign(frame, { line: 0, column: 0, sampledLine: 0, sampledColumn: 0 });
}

/** @param {Frame} frame @param {MappedScript} script @param {MappedSources} sources */
function placeFrame(frame, script, sources) {
  const generated = {
    ...frame,
    column: frame.column - (frame.line === 1 ? script.indent : 0),
    sampledColumn: frame.sampledColumn - (frame.sampledLine === 1 ? script.indent : 0),
  };
  const original = generated.column > 0 ? script.originalAt(generated.line, generated.column) : null;
  if (original === null) {
    if (script.text === '') forgetPlace(frame);
    return;
  }
  const functionName = originalName(script, generated);
  const { line, column } = original;
  const sampled = originalSampled(script, generated, original.url);
  const url = sourceUrl(original.url, frame.url);
  if (!sources.has(url)) sources.set(url, keptContent(script.contentOf(original.url), sources));
  Object.assign(frame, { functionName, url, line, column, ...sampled });
}

/**
 * Changes JavaScript frames in place. Each script and its map are read once. Where V8 compiled another text than the file's, and
 * no map leads from there to the file, the place is unknown.
 * @param {Frame[]} frames
 * @param {NativeSourceMap[]} [recorded] of code that was compiled in memory
 * @param {MappedSources} [sources] becomes the sources that frames are now in
 * @returns {string[]} one sentence for each script whose map could not be used
 */
function applySourceMaps(frames, recorded = [], sources = new Map()) {
  const inMemory = byScript(recorded);
  /** @type {Map<string, MappedScript | 'other' | null>} */
  const known = new Map();
  const problems = [];
  for (const frame of frames) {
    if (frame.kind !== 'js' || frame.line === 0) continue;
    const key = scriptKey(frame);
    const own = inMemory.get(key);
    const file = scriptPath(frame);
    if (file === null && own === undefined) continue;
    let script = known.get(key);
    if (script === undefined) {
      script = null;
      try {
        script = file === null ? null : readMappedScript(file, frame.sourceLength);
        if (own !== undefined && (script === 'other' || script === null)) {
          if (own.map !== '') script = recordedScript(own);
          else if (script === 'other') throw new Error('it is longer than what is kept of one (1 MB)');
        }
      } catch (error) {
        problems.push(`the source map of ${file ?? frame.url} is not used: ${messageOf(error)}`);
      }
      known.set(key, script);
    }
    if (script === null) continue;
    if (script === 'other') {
      forgetPlace(frame);
      continue;
    }
    try {
      placeFrame(frame, script, sources);
    } catch (error) {
      // Its mappings are read at the first look-up.
      problems.push(`the source map of ${file ?? frame.url} is not used further: ${messageOf(error)}`);
      known.set(key, null);
    }
  }
  return problems;
}

module.exports = { applySourceMaps, byScript, scriptKey };
