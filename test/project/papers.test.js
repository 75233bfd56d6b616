'use strict';

/** The gates over what is written about the code: the plan's tables, and citations. */

const { problemsOfText } = require('../../scripts/gates/citations');
const { rowsOf, tableProblems } = require('../../scripts/gates/plan');

test('a citation leads to a page and to a section of it', () => {
  expect(problemsOfText('as docs/design/walking.md 3 says, and docs/design/v8-internals.md 2.5')).toEqual([]);
  expect(problemsOfText('docs/decisions/0012, decisions/0034-user-time-by-events.md')).toEqual([]);
  expect(problemsOfText('docs/design/nowhere.md')).toEqual(['docs/design/nowhere.md: there is no such page']);
  expect(problemsOfText('// docs/design/walking.md\n// 99')).toEqual(['walking.md has no section 99']);
  expect(problemsOfText('decisions/9999')).toHaveLength(1);
  expect(problemsOfText(`${'V8'}.md 2.1`)).toEqual(['V8.md is not a paper of this project']);
});

test('a table of the plan names what there is, and nothing below what uses it', () => {
  const rows = rowsOf('| `cli/` | x |\n| `base/` | y |\n\n| `later/` | z |');
  expect(rows).toEqual(['cli', 'base']);
  const floors = new Map([
    ['cli', ['base']],
    ['base', []],
  ]);
  expect(tableProblems(rows, floors, 'lib/')).toEqual([]);
  expect(tableProblems(['base', 'cli'], floors, 'lib/')).toEqual(['lib/: cli/ uses base/, which is above it']);
  expect(tableProblems(['cli'], floors, 'lib/')).toContain('the table of lib/ does not name base/');
  expect(tableProblems(['cli', 'base', 'x'], floors, 'lib/')).toEqual([
    'the table of lib/ names x/, which does not exist',
  ]);
});
