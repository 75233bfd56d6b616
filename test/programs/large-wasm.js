'use strict';

/** Runs some of the 20,000 named functions of a WebAssembly module until each has had its time. Argument: milliseconds. */

const FUNCTIONS = 20_000;
const HOT = 20;

/** @param {number} n LEB128 @returns {number[]} */
const number = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...number(n >> 7)]);
/** @param {number} id @param {Buffer} content */
const section = (id, content) => Buffer.concat([Buffer.from([id, ...number(content.length)]), content]);
/** @param {number} count @param {(i: number) => number[]} each */
const vector = (count, each) =>
  Buffer.concat([Buffer.from(number(count)), ...Array.from({ length: count }, (_, i) => Buffer.from(each(i)))]);
/** @param {string} text */
const string = (text) => [...number(text.length), ...Buffer.from(text)];

// (n) => { do { sum += i; i += 1 } while (i < n); return sum }
const LOOP = '03 40 20 01 20 02 6a 21 01 20 02 41 01 6a 22 02 20 00 49 0d 00 0b 20 01 0b';
const BODY = [1, 2, 0x7f, ...Buffer.from(LOOP.replaceAll(' ', ''), 'hex')];
const names = vector(FUNCTIONS, (i) => [...number(i), ...string(`ns::Class${i % 97}::method_${i}(int)`)]);

const bytes = Buffer.concat([
  Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
  section(1, Buffer.from([1, 0x60, 1, 0x7f, 1, 0x7f])),
  section(
    3,
    vector(FUNCTIONS, () => [0]),
  ),
  section(
    7,
    vector(HOT, (i) => [...string(`f${i}`), 0, ...number(FUNCTIONS - 1 - i)]),
  ),
  section(
    10,
    vector(FUNCTIONS, () => [...number(BODY.length), ...BODY]),
  ),
  section(0, Buffer.concat([Buffer.from(string('name')), section(1, names)])),
]);

const { exports: functions } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
const end = performance.now() + Number(process.argv[2]);
while (performance.now() < end) {
  for (let i = 0; i < HOT; i++) /** @type {any} */ (functions[`f${i}`])(200_000);
}
