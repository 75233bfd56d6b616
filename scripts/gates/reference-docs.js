'use strict';

/** docs/errors.md has a row for each error code, docs/stats.md one for each key of the statistics and each reason of loss, and no others. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, projectFiles } = require('../tools');

/** @param {string} file */
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

/** First cells of the rows of a page, below one of its headings or of all of it. @param {string} text @param {string} [heading] */
function rowsOf(text, heading) {
  const section = heading === undefined ? text : (text.split(`\n## ${heading}\n`)[1] ?? '').split('\n## ')[0];
  return [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
}

/** @param {string} page @param {string[]} rows @param {Iterable<string>} wanted @returns {string[]} */
function compare(page, rows, wanted) {
  const all = new Set(wanted);
  if (all.size === 0) return [`nothing was found that ${page} is to be compared with`];
  return [
    ...[...all].filter((name) => !rows.includes(name)).map((name) => `${page}: no row for ${name}`),
    ...rows.filter((name) => !all.has(name)).map((name) => `${page}: ${name} does not exist`),
  ];
}

function errorCodes() {
  const files = projectFiles('lib/*.js', 'lib/*.ts', 'binding.d.ts', 'native/*.cc', 'native/*.h');
  return files.flatMap((file) => [...read(file).matchAll(/ERR_SPPROF_[A-Z_]*[A-Z]/g)].map(([code]) => code));
}

/** The properties of an interface. @param {string} typings @param {string} name */
function propertiesOf(typings, name) {
  const body = (typings.split(`export interface ${name} {\n`)[1] ?? '').split('\n}')[0];
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map((match) => match[1]);
}

function dropReasons() {
  const names = /kNames\[\] = \{([^}]+)\}/.exec(read('native/region/layout.cc'))?.[1] ?? '';
  const told = [...names.matchAll(/"(\w+)"/g)].map((match) => match[1]);
  return told.length === 0 ? [] : [...told, 'in_flight']; // which no handler can tell
}

/** @returns {string[]} */
function checkReferenceDocs() {
  const typings = read('lib/types/stats.d.ts');
  const stats = read('docs/stats.md');
  const [counters] = stats.split('\n## ');
  return [
    ...compare('docs/errors.md', rowsOf(read('docs/errors.md')), errorCodes()),
    ...compare('docs/stats.md', rowsOf(counters), propertiesOf(typings, 'Stats')),
    ...compare('docs/stats.md', rowsOf(stats, 'Reasons in `dropped`'), dropReasons()),
    ...compare('docs/stats.md', rowsOf(stats, 'The end'), propertiesOf(typings, 'Shutdown')),
  ];
}

module.exports = { checkReferenceDocs };
