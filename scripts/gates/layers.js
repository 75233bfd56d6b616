'use strict';

/**
 * Layers: an arrow goes down only. A folder of native/ includes what CMakeLists.txt lets its floor use, and nothing
 * else; only native/addon/ includes napi.h. The files of lib/ require those of their own row or above, without circles.
 */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, projectFiles } = require('../tools');

/** What may be included from everywhere in native/, beside a floor's own and the floors below. */
const NODE_HEADERS = /^(napi\.h|node_api\.h|js_native_api.*\.h|node\.h|v8(-[^/]*)?\.h|uv\.h)$/;

/** lib/, from the bottom up; a file not named here is at the top. */
const LIB_ROWS = [
  ['visible', 'text-table'],
  ['errors', 'nearest', 'support', 'units', 'replace-file', 'script-file', 'map-comment', 'leave-note', 'child-start'],
  ['option-values', 'child-loss'],
  ['options', 'frames', 'mark', 'write-pieces', 'recording-folder', 'unpack', 'measure', 'child-processes'],
  ['block-handle', 'call-site', 'blocks-report', 'sample-blocks'],
  ['compiled-text'],
  ['source-positions'],
  ['source-maps'],
  ['frame-columns'],
  ['place-frames', 'place-frames-worker'],
  ['binding', 'model', 'sample-feed', 'recording-sets', 'moved-files', 'comparable', 'compare'],
  ['recording-view'],
  ['session-news', 'memory-maps'],
  ['exporters/', 'importers/'],
  ['profile'],
  ['session', 'read-profile', 'blocks', 'threads'],
  ['index', 'machine', 'register-process'],
  ['register'],
  ['cli/'],
];

/** The floors and what each may use, from CMakeLists.txt. @returns {Map<string, Set<string>>} */
function floorsOfCMake() {
  const text = fs.readFileSync(path.join(ROOT, 'CMakeLists.txt'), 'utf8');
  /** @type {Map<string, Set<string>>} */
  const floors = new Map();
  for (const [, words] of text.matchAll(/^spprof_floor\(([^)]*)\)/gm)) {
    const [name, ...uses] = words.split(/\s+/);
    floors.set(name, new Set([name, ...uses]));
  }
  // What native code of others includes, and needs nothing.
  for (const uses of floors.values()) uses.add('include');
  floors.set('include', new Set(['include']));
  floors.set('addon', new Set(['addon', ...floors.keys()]));
  return floors;
}

/**
 * @param {string} file
 * @param {RegExp} pattern global, whose first group is the name
 */
function references(file, pattern) {
  const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(pattern)].map((match) => ({
    name: match[1],
    line: text.slice(0, match.index).split('\n').length,
  }));
}

/** @returns {string[]} */
function nativeProblems() {
  const floors = floorsOfCMake();
  /** @type {string[]} */
  const problems = [];
  for (const file of projectFiles('native/*.h', 'native/*.cc', 'native/*.S')) {
    const [, own] = file.split('/');
    const allowed = floors.get(own);
    if (allowed === undefined) {
      problems.push(`${file}: native/${own} is not a floor of CMakeLists.txt`);
      continue;
    }
    for (const { name, line } of references(file, /^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]/gm)) {
      const at = `${file}:${line}: ${own} includes ${name}`;
      const floor = name.split('/')[0];
      if (NODE_HEADERS.test(name) && own !== 'addon') problems.push(`${at}: only addon/ knows Node`);
      else if (floors.has(floor) && !allowed.has(floor)) problems.push(`${at}: it may use ${[...allowed].join(', ')}`);
      else if (name.startsWith('.')) problems.push(`${at}: name it from native/ on`);
    }
  }
  return problems;
}

/** The row of a file of lib/. @param {string} file relative to lib/, without extension */
function rowOf(file) {
  const row = LIB_ROWS.findIndex((names) =>
    names.some((name) => file === name || (name.endsWith('/') && file.startsWith(name))),
  );
  return row < 0 ? LIB_ROWS.length : row;
}

/**
 * A circle in a graph, as a path, or null.
 * @param {Map<string, string[]>} graph
 */
function findCircle(graph) {
  /** @type {Set<string>} */
  const done = new Set();
  /** @param {string} file @param {string[]} trail @returns {string[] | null} */
  const visit = (file, trail) => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next, [...trail, file]);
      if (circle !== null) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const circle = visit(file, []);
    if (circle !== null) return circle;
  }
  return null;
}

/** @returns {string[]} */
function libProblems() {
  /** @type {string[]} */
  const problems = [];
  /** @type {Map<string, string[]>} */
  const graph = new Map();
  for (const file of projectFiles('lib/*.js')) {
    const own = file.slice('lib/'.length, -'.js'.length);
    /** @type {string[]} */
    const uses = [];
    for (const { name, line } of references(file, /\brequire\('(\.[^']*)'\)/g)) {
      const target = path.posix.normalize(path.posix.join('lib', path.posix.dirname(own), name));
      if (!target.startsWith('lib/')) continue;
      const used = target.slice('lib/'.length);
      uses.push(used);
      if (rowOf(used) > rowOf(own)) problems.push(`${file}:${line}: ${own} requires ${used}, which is above it`);
    }
    graph.set(own, uses);
  }
  const circle = findCircle(graph);
  if (circle !== null) problems.push(`lib: a circle: ${circle.join(' -> ')}`);
  return problems;
}

/** @returns {string[]} one line a problem */
function checkLayers() {
  return [...nativeProblems(), ...libProblems()];
}

module.exports = { checkLayers, findCircle };
