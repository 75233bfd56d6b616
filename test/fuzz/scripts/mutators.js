'use strict';

/** Changes inputs at random, by their kind. All take their chance from a Random, so a seed repeats them. */

const INTERESTING_32 = [
  ...[0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0xfffff, 0x100000, 0xffffff],
  ...[0x1000000, 0x3fffffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff],
];
const INTERESTING_64 = [0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 0x7ff8n << 48n];
const INTERESTING_JSON = [
  ...[null, true, false, 0, -0, -1, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, '', 'x', 'x'.repeat(5000)],
  ...['__proto__', 'constructor', 'NaN', 'Infinity', '\u001b[2J', '\ud800', '</script>', [], {}, [null], [[]]],
];
const INTERESTING_TEXT = [
  ...['0', '-1', '1e999', 'NaN', '99999999999999999999', '0x10', '%', ':', ';', ' ', '\t', '\r\n', '\n', '\0', '('],
  ...[')', '[', ']', '{', '}', '"', ',', '\\', '+0x', ' (/x)', '\ufeff', '\u2028', '__proto__', '\u001b]0;x\u0007'],
];

/** xorshift32. */
class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
  }

  /** @param {number} limit @returns {number} an integer in [0, limit) */
  below(limit) {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  /** @template T @param {readonly T[]} values @returns {T} */
  of(values) {
    return values[this.below(values.length)];
  }
}

/** One change of some bytes. @param {Buffer} bytes @param {Random} random @returns {Buffer} */
function changeBytes(bytes, random) {
  const at = random.below(bytes.length);
  const count = Math.min(bytes.length - at, 1 << random.below(9));
  const from = random.below(bytes.length - count + 1);
  const before = bytes.subarray(0, at);
  switch (random.below(9)) {
    case 0:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2:
      if (at + 4 <= bytes.length) bytes.writeUInt32LE(random.of(INTERESTING_32), at);
      return bytes;
    case 3:
      if (at + 8 <= bytes.length) bytes.writeBigUInt64LE(random.of(INTERESTING_64), at);
      return bytes;
    case 4:
      bytes.copyWithin(at, from, from + count);
      return bytes;
    case 5:
      return random.below(8) === 0 ? Buffer.from(before) : bytes;
    case 6:
      return Buffer.concat([before, bytes.subarray(at + count)]);
    case 7:
      return Buffer.concat([before, Buffer.alloc(count, random.below(256)), bytes.subarray(at)]);
    default:
      return Buffer.concat([before, bytes.subarray(from, from + count), bytes.subarray(at)]);
  }
}

/** @param {Buffer} seed @param {Random} random @returns {Buffer} */
function mutateBytes(seed, random) {
  /** @type {Buffer} */
  let bytes = Buffer.from(seed);
  for (let n = 1 + random.below(6); n > 0 && bytes.length > 0; n--) bytes = changeBytes(bytes, random);
  return bytes;
}

/** Lines and words are moved about, and replaced. @param {Buffer} seed @param {Random} random @returns {Buffer} */
function mutateText(seed, random) {
  if (random.below(4) === 0) return mutateBytes(seed, random);
  const lines = seed.toString('utf8').split('\n');
  for (let n = 1 + random.below(6); n > 0; n--) {
    const at = random.below(lines.length);
    const words = lines[at].split(/(\s+|[;:()[\]]+)/);
    const word = random.below(words.length);
    const kind = random.below(6);
    if (kind === 0) lines.splice(at, 1);
    else if (kind === 1) lines.splice(at, 0, random.of(lines));
    else if (kind === 2) words[word] = random.of(INTERESTING_TEXT);
    else if (kind === 3) words.splice(word, 1);
    else if (kind === 4) words[word] += random.of(INTERESTING_TEXT);
    else words[word] = words[word].repeat(1 + random.below(200));
    if (kind >= 2) lines[at] = words.join('');
    if (lines.length === 0) lines.push('');
  }
  return Buffer.from(lines.join('\n'));
}

/** One change somewhere in a value of JSON. @param {any} root @param {Random} random */
function changeJson(root, random) {
  let at = root;
  for (let depth = 0; depth < 12; depth++) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = keys[random.below(random.below(2) === 0 ? Math.min(keys.length, 3) : keys.length)];
    const isLeaf = typeof at[key] !== 'object' || at[key] === null;
    if (!isLeaf && random.below(10) >= 3) {
      at = at[key];
      continue;
    }
    const kind = random.below(5);
    if (kind === 0 && Array.isArray(at)) at.splice(Number(key), 1);
    else if (kind === 0) delete at[key];
    else if (kind === 1) at[key] = at[random.of(keys)];
    else if (kind === 2 && typeof at[key] === 'number') at[key] = at[key] * random.of([-1, 1e9, 0.5, 1e300]);
    else at[key] = random.of(INTERESTING_JSON);
    return;
  }
}

/** What a nested value may become when parts of it refer to each other. */
const MAX_JSON = 1 << 22;

/** @param {Buffer} seed @param {Random} random @returns {Buffer} */
function mutateJson(seed, random) {
  if (random.below(6) === 0) return mutateText(seed, random);
  const root = JSON.parse(seed.toString('utf8'));
  for (let n = 1 + random.below(5); n > 0; n--) changeJson(root, random);
  try {
    const text = JSON.stringify(root);
    // What no JSON.stringify writes.
    const spoilt =
      random.below(10) === 0 ? text.replace(/:\d+/, random.of([':1e400', ':-1e400', ':1e-400', ':-0'])) : text;
    return Buffer.from(spoilt.slice(0, MAX_JSON));
  } catch {
    return Buffer.from(seed); // It has become part of itself.
  }
}

module.exports = { Random, mutateBytes, mutateText, mutateJson, INTERESTING_32, INTERESTING_TEXT };
