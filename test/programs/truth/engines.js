'use strict';

/** Time in V8's engines, each called by a function that is named for it: JSON, regular expressions, parser, collector. */

const { Parts, report } = require('./measure');

const parts = new Parts();
const data = Array.from({ length: 3000 }, (_, i) => ({
  id: i,
  name: `name ${i}`,
  tags: ['a', 'b', `t${i % 10}`],
  n: i / 3,
}));
const json = JSON.stringify(data);
const text = Array.from({ length: 150 }, (_, i) => `word${i * 7919} `).join('');

/** About 30 ms of calls. @param {() => unknown} work */
function forAWhile(work) {
  const until = performance.now() + 30;
  while (performance.now() < until) work();
}

function parseJson() {
  forAWhile(() => JSON.parse(json));
}
function stringifyJson() {
  forAWhile(() => JSON.stringify(data));
}
function matchRegExp() {
  forAWhile(() => /(?:[a-z]+\d+ )*(?:[a-z]+\d+)?!/.test(text));
}
function collectGarbage() {
  forAWhile(() => /** @type {any} */ (globalThis).gc());
}
let version = 0;
function parseSource() {
  forAWhile(() => {
    const lines = Array.from({ length: 300 }, (_, i) => `var v${i} = { a: ${version++}, b: [${i}, 'text'] };`);
    new Function(lines.join('\n'));
  });
}

for (let i = 0; i < 24; i++) {
  for (const work of [parseJson, stringifyJson, matchRegExp, collectGarbage, parseSource])
    parts.measure(work.name, work);
}
report({ main: process.pid, parts: parts.sums });
