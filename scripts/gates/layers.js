'use strict';

/**
 * Layers: an arrow goes down only. A folder of native/ includes what CMakeLists.txt lets its floor use, and nothing
 * else; only native/addon/ includes napi.h. The folders of lib/ require what LIB_FLOORS lets them, without circles.
 */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, projectFiles } = require('../tools');

/** What may be included from everywhere in native/, beside a floor's own and the floors below. */
const NODE_HEADERS = /^(napi\.h|node_api\.h|js_native_api.*\.h|node\.h|v8(-[^/]*)?\.h|uv\.h)$/;

/** The folders of lib/ and what each requires of the others; within a folder each file may require each. */
const LIB_FLOORS = /** @type {Record<string, string[]>} */ ({
  base: [],
  options: ['base'],
  native: ['base'],
  recording: ['base'],
  places: ['base', 'recording'],
  blocks: ['base', 'native'],
  importers: ['base', 'recording'],
  views: ['base', 'recording'],
  advice: ['base', 'recording', 'views'],
  exporters: ['base', 'recording', 'views'],
  profile: ['base', 'options', 'native', 'recording', 'places', 'importers', 'views', 'advice', 'exporters'],
  session: ['base', 'options', 'native', 'recording', 'profile'],
  processes: ['base', 'options', 'native', 'places'],
});
/** At the top: the library's entry points, what is preloaded, and the command. */
const LIB_TOP = ['index', 'register', 'cli'];

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

/** The floor that a path lies in: the longest that its folders begin with. @param {Set<string>} floors @param {string} file from native/ on */
function floorOf(floors, file) {
  for (let folder = path.posix.dirname(file); folder !== '.'; folder = path.posix.dirname(folder))
    if (floors.has(folder)) return folder;
  return null;
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
  const names = new Set(floors.keys());
  /** @type {string[]} */
  const problems = [];
  for (const file of projectFiles('native/*.h', 'native/*.cc', 'native/*.S')) {
    const own = floorOf(names, file.slice('native/'.length));
    const allowed = own === null ? undefined : floors.get(own);
    if (allowed === undefined) {
      problems.push(`${file}: its folder is not a floor of CMakeLists.txt`);
      continue;
    }
    for (const { name, line } of references(file, /^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]/gm)) {
      const at = `${file}:${line}: ${own} includes ${name}`;
      const floor = floorOf(names, name);
      if (NODE_HEADERS.test(name) && own !== 'addon') problems.push(`${at}: only addon/ knows Node`);
      else if (floor !== null && !allowed.has(floor)) problems.push(`${at}: it may use ${[...allowed].join(', ')}`);
      else if (name.startsWith('.')) problems.push(`${at}: name it from native/ on`);
    }
  }
  return problems;
}

/** The folder of a file of lib/, or its own name. @param {string} file relative to lib/, without extension */
function libFolder(file) {
  return file.split('/')[0];
}

/** What a folder of lib/ may require; null: anything. @param {string} folder @returns {string[] | null | undefined} */
function libUses(folder) {
  if (LIB_TOP.includes(folder)) return null;
  return Object.hasOwn(LIB_FLOORS, folder) ? LIB_FLOORS[folder] : undefined;
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
    const folder = libFolder(own);
    const allowed = libUses(folder);
    if (allowed === undefined) {
      problems.push(`${file}: lib/${folder} is not in the table of scripts/gates/layers.js`);
      continue;
    }
    for (const { name, line } of references(file, /\brequire\('(\.[^']*)'\)/g)) {
      const target = path.posix.normalize(path.posix.join('lib', path.posix.dirname(own), name));
      if (!target.startsWith('lib/')) continue;
      const used = target.slice('lib/'.length);
      uses.push(used);
      const other = libFolder(used);
      if (allowed === null || other === folder || allowed.includes(other)) continue;
      problems.push(`${file}:${line}: ${own} requires ${used}; ${folder}/ may use ${allowed.join(', ') || 'nothing'}`);
    }
    graph.set(own, uses);
  }
  const circle = findCircle(graph);
  if (circle !== null) problems.push(`lib: a circle: ${circle.join(' -> ')}`);
  return problems;
}

/** The folders of the page's source and what each imports of the others, beside lib/base; what lies beside them is at the top. */
const PAGE_FLOORS = /** @type {Record<string, string[]>} */ ({
  model: [],
  parts: ['model'],
  views: ['model', 'parts'],
});
const PAGE = 'lib/page/src/';

/** @returns {string[]} */
function pageProblems() {
  /** @type {string[]} */
  const problems = [];
  for (const file of projectFiles(`${PAGE}*.mjs`)) {
    const allowed = PAGE_FLOORS[file.slice(PAGE.length).split('/')[0]];
    if (allowed === undefined) continue;
    const folder = path.posix.dirname(file);
    for (const { name, line } of references(file, /^import [^'"]*['"](\.[^'"]*)['"]/gm)) {
      const used = path.posix.join(folder, name);
      const other = used.slice(PAGE.length).split('/')[0];
      if (used.startsWith('lib/base/')) continue;
      if (path.posix.dirname(used) === folder || allowed.includes(other)) continue;
      problems.push(
        `${file}:${line}: it may import its own folder and ${allowed.join(', ') || 'nothing'}, not ${used}`,
      );
    }
  }
  return problems;
}

/** @returns {string[]} one line a problem */
function checkLayers() {
  return [...nativeProblems(), ...libProblems(), ...pageProblems()];
}

module.exports = { LIB_FLOORS, checkLayers, findCircle, floorsOfCMake };
