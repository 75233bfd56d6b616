'use strict';

const path = require('node:path');

/** Which files of two recordings are the same although their paths differ: a program in another folder, a package of another store. */

/** Files of one name that are compared with each other; more of them (`index.js`) say nothing more. */
const MOST_ALIKE = 32;
const PACKAGES = '/node_modules/';

/** @param {string[]} files @param {(file: string) => string | null} keyOf @returns {Map<string, string[]>} */
function groupBy(files, keyOf) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const file of files) {
    const key = keyOf(file);
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return groups;
}

/** What two paths begin with, before the part that they end with alike. @param {string} a @param {string} b @returns {[string, string]} */
function rootsOf(a, b) {
  const [left, right] = [a.split('/'), b.split('/')];
  while (left.length > 1 && right.length > 1 && left.at(-1) === right.at(-1)) {
    left.pop();
    right.pop();
  }
  return [left.join('/'), right.join('/')];
}

/**
 * The folder that most files have moved from, and to. A file alone may be another one of the name, so the longest common end wins.
 * @param {string[]} before @param {string[]} after
 * @returns {[string, string] | null}
 */
function movedRoot(before, after) {
  const likes = groupBy(after, (file) => path.posix.basename(file));
  /** @type {Map<string, { roots: [string, string], votes: number }>} */
  const all = new Map();
  for (const file of before) {
    for (const like of (likes.get(path.posix.basename(file)) ?? []).slice(0, MOST_ALIKE)) {
      const roots = rootsOf(file, like);
      const vote = all.get(roots.join('\0')) ?? { roots, votes: 0 };
      vote.votes++;
      all.set(roots.join('\0'), vote);
    }
  }
  const best = [...all.values()].sort((a, b) => b.votes - a.votes || a.roots[0].length - b.roots[0].length)[0];
  return best?.roots ?? null;
}

/** A file of a package, from its name on. @param {string} file */
function inPackage(file) {
  const at = file.lastIndexOf(PACKAGES);
  return at < 0 ? null : file.slice(at + PACKAGES.length);
}

/**
 * @param {Iterable<string>} earlier paths
 * @param {Iterable<string>} later
 * @returns {Map<string, string>} the later path of those of the earlier that have another one now
 */
function movedFiles(earlier, later) {
  const [olds, news] = [new Set(earlier), new Set(later)];
  const before = [...olds].filter((file) => !news.has(file));
  const after = [...news].filter((file) => !olds.has(file));
  /** @type {Map<string, string>} */
  const moved = new Map();
  const roots = movedRoot(before, after);
  if (roots !== null) {
    const [from, to] = roots;
    for (const file of before) {
      // What is only in one of the recordings has its new name as well.
      if (file.startsWith(`${from}/`)) moved.set(file, to + file.slice(from.length));
    }
  }
  const taken = new Set(moved.values());
  const others = groupBy(
    after.filter((file) => !taken.has(file)),
    inPackage,
  );
  const rest = before.filter((file) => !news.has(moved.get(file) ?? file));
  for (const [name, files] of groupBy(rest, inPackage)) {
    const likes = others.get(name) ?? [];
    if (files.length === 1 && likes.length === 1) moved.set(files[0], likes[0]);
  }
  return moved;
}

module.exports = { movedFiles };
