'use strict';

/** Forbidden strings: nothing committed may name a registry's host or a path of one machine, nor leave work undone. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, projectFiles } = require('../tools');

/** Built from parts, so that this file is clean itself. */
const FORBIDDEN = [
  { pattern: new RegExp(`registry\\.(${['npmjs', 'yarnpkg', 'npmmirror'].join('|')})\\.`), why: "a registry's host" },
  { pattern: /"resolved": "(?=https?:)/, why: "a registry's host, in the lock file" },
  { pattern: new RegExp(`(^|[^\\w.$/-])/(${['work', 'root', 'home'].join('|')})/\\w`), why: 'a path of one machine' },
  {
    pattern: new RegExp(`\\b(${['TO', 'FIX'].map((word, i) => word + ['DO', 'ME'][i]).join('|')})\\b`),
    why: 'undone work',
  },
  { pattern: /^(<{7}|>{7}) /, why: 'an unfinished merge' },
  {
    pattern: new RegExp(`\\b(test|it|describe)\\.(${['skip', 'only', 'todo'].join('|')})\\(`),
    why: 'a test that is not run',
  },
];

/** @returns {string[]} one line a problem */
function checkForbidden() {
  /** @type {string[]} */
  const problems = [];
  for (const file of projectFiles()) {
    const text = fs.readFileSync(path.join(ROOT, file), 'latin1');
    if (text.includes('\0')) continue;
    text.split('\n').forEach((line, index) => {
      for (const { pattern, why } of FORBIDDEN) {
        if (pattern.test(line)) problems.push(`${file}:${index + 1}: ${why}: ${line.trim().slice(0, 100)}`);
      }
    });
  }
  return problems;
}

module.exports = { checkForbidden };
