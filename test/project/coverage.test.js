'use strict';

/** What `npm run coverage` makes of the counts of clang and V8, and how its list of exceptions is checked. */

const { compare } = require('../../scripts/coverage/exceptions');
const { merge, ranges, readIstanbul, readLcov, rowsOf, uncovered } = require('../../scripts/coverage/lines');

const LCOV =
  'SF:/r/native/drain/drain.cc\nDA:1,3\nDA:2,0\nDA:3,0\nend_of_record\nSF:/usr/include/x.h\nDA:1,1\nend_of_record\n';
const SOURCE = 'start();\nif (failed)\n  return;\nend();\n';
const read = () => SOURCE;

test('lines are counted by file, and added up', () => {
  const core = readLcov(LCOV, '/r');
  expect([...core.keys()]).toEqual(['native/drain/drain.cc']);
  const istanbul = readIstanbul(
    { '/r/lib/a.js': { statementMap: { 0: { start: { line: 1 } }, 1: { start: { line: 2 } } }, s: { 0: 1, 1: 0 } } },
    '/r',
  );
  const both = merge([core, core, istanbul]);
  expect(both.get('native/drain/drain.cc')?.get(1)).toBe(6);
  expect(uncovered(both)).toEqual([
    { file: 'lib/a.js', lines: [2] },
    { file: 'native/drain/drain.cc', lines: [2, 3] },
  ]);
  expect(ranges([2, 3, 5, 7, 8, 9])).toBe('2-3, 5, 7-9');
});

test('a row for each folder, and one for all, by each way of counting', () => {
  const one = new Map([
    [
      'native/drain/a.cc',
      new Map([
        [1, 0],
        [2, 1],
      ]),
    ],
  ]);
  const two = new Map([
    [
      'native/drain/a.cc',
      new Map([
        [1, 4],
        [2, 1],
      ]),
    ],
    ['native/base/b.cc', new Map([[1, 0]])],
  ]);
  expect(rowsOf([one, two])).toEqual([
    { folder: 'native/base', lines: 1, covered: [0, 0] },
    { folder: 'native/drain', lines: 2, covered: [1, 2] },
    { folder: 'all', lines: 3, covered: [1, 2] },
  ]);
});

describe('the list of exceptions', () => {
  const lines = () =>
    new Map([
      [
        'native/drain/a.cc',
        new Map([
          [1, 3],
          [2, 3],
          [3, 0],
          [4, 3],
        ]),
      ],
    ]);
  const exception = { file: 'native/drain/a.cc', from: 'return;', why: 'it never fails' };

  test('a line that does not run is an error, unless it is in the list', () => {
    expect(compare(lines(), [], ['native/drain'], read)).toEqual([
      'native/drain/a.cc:3: is not covered, and no exception: return;',
    ]);
    expect(compare(lines(), [exception], ['native/drain'], read)).toEqual([]);
    expect(compare(lines(), [], ['native/session'], read)).toEqual([]);
  });

  test('an entry that is covered now is an error, and so is one whose text has gone', () => {
    const covered = lines();
    covered.get('native/drain/a.cc')?.set(3, 1);
    expect(compare(covered, [exception], ['native/drain'], read)).toEqual([
      'native/drain/a.cc:3: an exception is covered now: return;',
    ]);
    expect(compare(lines(), [{ ...exception, from: 'gone();' }], [], read)).toEqual([
      'native/drain/a.cc: an exception is not there, or more than once: gone();',
    ]);
  });

  test('an entry can be of several lines', () => {
    const more = { ...exception, from: 'if (failed)', to: 'return;' };
    expect(compare(lines(), [more], ['native/drain'], read)).toEqual([]);
  });
});
