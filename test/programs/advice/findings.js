'use strict';

/**
 * For each rule of the advice a program that sets it off, and one that does the like without being worth a word: `findings.js <rule>
 * hot|clean <milliseconds>`. It works for so much CPU time of the process.
 */

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

const [rule, kind, budget] = process.argv.slice(2);

/** CPU time of the process so far, milliseconds. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

const isOver = () => cpuMs() > Number(budget);

/** Work that no rule speaks of. @param {number} [rounds] */
function plainWork(rounds = 100_000) {
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum += Math.sqrt(i) * (i & 7);
  return sum;
}

const rows = Array.from({ length: 2000 }, (_, id) => ({ id, name: `name ${id}`, tags: ['a', 'b'] }));

function copyByText() {
  return JSON.parse(JSON.stringify(rows));
}

/** Objects whose hidden classes are all different, or all the same. @param {boolean} areDifferent */
function makeObjects(areDifferent) {
  return Array.from({ length: 60 }, (_, i) => {
    /** @type {Record<string, number>} */
    const object = areDifferent ? { [`own${i}`]: 1 } : { own: 1 };
    object.value = i;
    return object;
  });
}

/** @param {Record<string, number>[]} objects */
function sumValues(objects) {
  let sum = 0;
  for (let i = 0; i < 200_000; i++) {
    const object = objects[i % objects.length];
    sum += object.value;
  }
  return sum;
}

class Counter {
  one() {
    return 1;
  }
}
const counter = new Counter();

/** @param {number} rounds */
function countTo(rounds) {
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum += counter.one();
  return sum;
}

/** Code that is optimized relies on the prototypes that it has seen. @param {boolean} changes */
function countAndChange(changes) {
  countTo(30_000);
  if (changes) Object.setPrototypeOf(Counter.prototype, {});
}

/** @type {unknown[]} */
let kept = [];

function allocateRows() {
  for (let i = 0; i < 5000; i++) kept.push({ i, pair: [i, `${i}`], copy: { ...rows[i % 2000] } });
  if (kept.length > 300_000) kept = [];
}

const big = Buffer.alloc(1 << 20, 'some text that repeats itself, more or less; ');

/** Calls `work` from the event loop until the time is over. @param {() => void} work */
function fromLoop(work) {
  setTimeout(function onTimer() {
    work();
    if (!isOver()) setTimeout(onTimer, 1);
  }, 1);
}

/** @param {() => void} work */
function untilOver(work) {
  while (!isOver()) work();
}

/** @param {number} waiting jobs at any time */
function keepPoolBusy(waiting) {
  const again = () => {
    if (!isOver()) crypto.pbkdf2('secret', 'salt', 20_000, 64, 'sha512', again);
  };
  for (let i = 0; i < waiting; i++) again();
}

/** Modules that are large, in a folder of their own. */
function requireManyModules() {
  const folder = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'spprof-modules-'));
  const body = Array.from({ length: 300 }, (_, i) => `exports.f${i} = function (a, b) { return a * ${i} + b; };`).join(
    '\n',
  );
  for (let i = 0; !isOver(); i++) {
    const file = path.join(folder, `module-${i}.js`);
    fs.writeFileSync(file, body);
    require(file);
  }
  fs.rmSync(folder, { recursive: true });
}

const slowText = `${'a'.repeat(24)}!`;

function matchSlowly() {
  return /^(a+)+$/.test(slowText);
}

const words = 'foo bar baz '.repeat(20);

function matchQuickly() {
  return words.replace(/(\w+)\s(\w+)/g, '$2 $1').length;
}

/** A module with a source map in its text; its functions are those of one line each. */
function writeMappedModule() {
  const folder = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'spprof-mapped-'));
  const file = path.join(folder, 'mapped.js');
  const map = { version: 3, sources: ['original.ts'], names: [], mappings: `AAAA${';AACA'.repeat(9)}` };
  const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
  fs.writeFileSync(file, `exports.throwAndLook = ${throwAndLook};\n//# sourceMappingURL=${url}\n`);
  const { throwAndLook: mapped } = require(file);
  fs.rmSync(folder, { recursive: true });
  return mapped;
}

function throwAndLook() {
  try {
    throw new Error('expected');
  } catch (error) {
    return String(/** @type {Error} */ (error).stack).length;
  }
}

/** @type {Record<string, { hot: () => void, clean: () => void }>} */
const CASES = {
  json: {
    hot: () => untilOver(copyByText),
    clean: () =>
      untilOver(() => {
        JSON.parse('{"a":1}');
        plainWork();
      }),
  },
  megamorphic: {
    hot: () => untilOver(() => sumValues(makeObjects(true))),
    clean: () => untilOver(() => sumValues(makeObjects(false))),
  },
  deoptimization: {
    hot: () => untilOver(() => countAndChange(true)),
    clean: () => untilOver(() => countAndChange(false)),
  },
  collection: {
    hot: () => untilOver(allocateRows),
    clean: () =>
      untilOver(() => {
        kept = [plainWork()];
      }),
  },
  blocking: {
    hot: () => fromLoop(() => crypto.pbkdf2Sync('secret', 'salt', 20_000, 64, 'sha512')),
    // The same before anything is served, which no client waits for.
    clean: () => untilOver(() => zlib.deflateSync(big)),
  },
  pool: { hot: () => keepPoolBusy(8), clean: () => keepPoolBusy(1) },
  loading: {
    hot: requireManyModules,
    clean: () => untilOver(() => plainWork()),
  },
  regexp: { hot: () => untilOver(matchSlowly), clean: () => untilOver(matchQuickly) },
  'source-maps': {
    hot: () => untilOver(writeMappedModule()),
    clean: () => untilOver(throwAndLook),
  },
};

CASES[rule][/** @type {'hot' | 'clean'} */ (kind)]();
