'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { fillSourcePositions, lineStarts, positionOf } = require('../../lib/places/source-positions');
const { js } = require('../helpers/recording');
const { temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const SOURCE = "'ü';\r\nfunction one() {}\n\u2028function two() {}\n";

/** @param {string} url @param {string} wanted @param {number} [sourceLength] */
function frameAt(url, wanted, sourceLength = SOURCE.length) {
  return js(wanted, { url, line: 0, column: 0, startOffset: SOURCE.indexOf(wanted), sourceLength });
}

/** @param {string} name @param {string} text */
function scriptOf(name, text) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

test('lines end as they do in JavaScript', () => {
  expect(lineStarts('a\nb\r\nc\rd\u2028e')).toEqual([0, 2, 5, 7, 9]);
  expect(positionOf([0, 2, 5], 5)).toEqual({ line: 3, column: 1 });
  expect(positionOf([0, 2, 5], 4)).toEqual({ line: 2, column: 3 });
});

test('lines and columns are found in the script, by path and by URL, with a byte order mark and without', () => {
  const plain = scriptOf('plain.js', SOURCE);
  const marked = scriptOf('marked.js', `\ufeff${SOURCE}`);
  const frames = [frameAt(plain, 'one'), frameAt(pathToFileURL(plain).href, 'two'), frameAt(marked, 'one')];
  fillSourcePositions(frames);
  expect(frames.map(({ line, column }) => [line, column])).toEqual([
    [2, 10],
    [4, 10],
    [2, 10],
  ]);
});

test('a file that is not what V8 compiled, or no file, gives no line', () => {
  const plain = scriptOf('other.js', SOURCE);
  const frames = [
    frameAt(plain, 'one', SOURCE.length + 1),
    frameAt(path.join(folder, 'gone.js'), 'one'),
    frameAt('node:fs', 'one'),
    frameAt('file://host/%zz', 'one'),
    { ...frameAt(plain, 'one'), startOffset: -1 },
  ];
  fillSourcePositions(frames);
  expect(frames.map(({ line }) => line)).toEqual([0, 0, 0, 0, 0]);
});

test('what V8 knew is left alone', () => {
  const frame = { ...frameAt(scriptOf('known.js', SOURCE), 'one'), line: 77, column: 3 };
  fillSourcePositions([frame]);
  expect(frame).toMatchObject({ line: 77, column: 3 });
});
