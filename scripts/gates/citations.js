'use strict';

/** Citations: `docs/design/walking.md 3` in a comment, and `docs/decisions/0012`, lead to a page, and to a heading of that number in it. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, projectFiles } = require('../tools');

const DESIGN = /docs\/design\/([a-z0-9-]+\.md)(?:[\s/*#]+(\d+(?:\.\d+)?)(?![\d-]))?/g;
const DECISION = /(?:docs\/)?decisions\/(\d{4})(-[a-z0-9-]+\.md)?/g;
/** Papers that are not in the project. */
const STRANGERS = /\b(?:V8\.md|DESIGN(?:\.md)? D\d|TARGETS\.md|STYLE\.md|GAPS\.md|RESEARCH\.md)\b/g;

/** This file; and decisions, which may cite the papers of their time. */
const OWN = /^(scripts\/gates\/citations\.js$|docs\/decisions\/)/;

/** The numbers of a page's headings. @param {string} page */
function headingsOf(page) {
  const text = fs.readFileSync(path.join(ROOT, 'docs/design', page), 'utf8');
  return new Set([...text.matchAll(/^#{2,3} (\d+(?:\.\d+)?)\.? /gm)].map(([, number]) => number));
}

/** @param {string} text @returns {string[]} what in it leads nowhere */
function problemsOfText(text) {
  /** @type {string[]} */
  const problems = [];
  for (const [citation, page, number] of text.matchAll(DESIGN)) {
    if (!fs.existsSync(path.join(ROOT, 'docs/design', page))) problems.push(`${citation}: there is no such page`);
    else if (number !== undefined && !headingsOf(page).has(number)) problems.push(`${page} has no section ${number}`);
  }
  const decisions = fs.readdirSync(path.join(ROOT, 'docs/decisions'));
  for (const [citation, number, name] of text.matchAll(DECISION)) {
    const found = decisions.some((file) =>
      name === undefined ? file.startsWith(`${number}-`) : file === number + name,
    );
    if (!found) problems.push(`${citation}: there is no such decision`);
  }
  for (const [stranger] of text.matchAll(STRANGERS)) problems.push(`${stranger} is not a paper of this project`);
  return problems;
}

/** @returns {string[]} one line a problem */
function checkCitations() {
  const files = projectFiles(
    'native/*',
    'lib/*',
    'test/native/*',
    'bench/*',
    'scripts/*',
    'docs/*',
    'CMakeLists.txt',
    '*.md',
  );
  return files
    .filter((file) => /\.(cc|h|S|js|ts|md|txt)$/.test(file) && !OWN.test(file))
    .flatMap((file) =>
      problemsOfText(fs.readFileSync(path.join(ROOT, file), 'utf8')).map((problem) => `${file}: ${problem}`),
    );
}

module.exports = { checkCitations, problemsOfText };
