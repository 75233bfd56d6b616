'use strict';

/**
 * Names of native code, shortened as their language allows: C++ loses parameters, template arguments and what stands before the name;
 * Rust its hash and type arguments. What looks like neither (Go, Ruby, Python, JavaScript in perf's maps) stays as it is.
 */

/** What Rust's legacy mangling writes for characters. */
const RUST_ESCAPES = /** @type {Record<string, string>} */ ({
  ...{ SP: '@', BP: '*', RF: '&', LT: '<', GT: '>', LP: '(', RP: ')', C: ',' },
});
/** Longer names are shown as they are: they are no function's, and patterns would take long over them. */
const LONGEST = 8192;
const TYPES = new Set([
  'void',
  'bool',
  'char',
  'int',
  'long',
  'short',
  'float',
  'double',
  'unsigned',
  'signed',
  'auto',
  'decltype',
]);

/** @param {string} name */
function plainRust(name) {
  const whole = name.replace(/::h[0-9a-f]{16}(?:\.llvm\.\d+)?$/, '');
  if (!/\$(?:LT|GT|RF|BP|SP|LP|RP|C|u[0-9a-f]{1,6})\$/.test(whole)) return whole;
  return whole
    .replace(/\$([A-Z]{1,2})\$/g, (all, code) => RUST_ESCAPES[code] ?? all)
    .replace(/\$u([0-9a-f]{1,6})\$/g, (all, code) => {
      const point = Number.parseInt(code, 16);
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : all;
    })
    .replace(/\.\./g, '::')
    .replace(/(^|::)_(?=<)/g, '$1');
}

/**
 * A name without what stands in angle brackets and parentheses; `kept` brackets at its beginning stay (Rust's `<T as Trait>`).
 * @param {string} name @param {number} kept
 */
function withoutArguments(name, kept) {
  let angles = 0;
  let parentheses = 0;
  let short = '';
  let isLeading = kept > 0;
  for (let i = 0; i < name.length; i++) {
    const character = name[i];
    const isArrow = character === '>' && name[i - 1] === '-';
    if (character === '<' && parentheses === 0) {
      angles++;
      if (!(isLeading && angles <= kept)) {
        if (angles === (isLeading ? kept + 1 : 1) && short.endsWith('::')) short = short.slice(0, -2);
        continue;
      }
    }
    if (character === '>' && !isArrow && parentheses === 0) {
      angles--;
      if (angles < 0) return null;
      const isShown = isLeading && angles < kept;
      if (angles === 0) isLeading = false;
      if (!isShown) continue;
    }
    if (angles > (isLeading ? kept : 0)) continue;
    if (character === '(' && !isLeading) parentheses++;
    if (parentheses === 0) short += character;
    if (character === ')' && !isLeading) parentheses--;
    if (parentheses < 0) return null;
  }
  return angles === 0 && parentheses === 0 ? short : null;
}

/** What stands behind the last blank outside of braces. @param {string} text */
function lastWord(text) {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    if (text[i] === '}') depth++;
    else if (text[i] === '{') depth--;
    else if (text[i] === ' ' && depth === 0) return text.slice(i + 1);
  }
  return text;
}

/**
 * C++ as demanglers write it: parameters or template arguments follow an identifier at once.
 * @param {string} name
 */
function shortCpp(name) {
  const whole = name.replaceAll('(anonymous namespace)', '{anonymous}').replace(/ \[clone [^\]]*\]/g, '');
  const bare = whole.replace(/(?: const| volatile| noexcept| ?&&?)+$/, '');
  const hasParameters = bare.endsWith(')') && /[\w>\]}'~]\(/.test(bare);
  const hasTemplate = /(?:\w|::)<.*>/s.test(whole);
  if (!hasParameters && !hasTemplate && whole === name) return name;
  const text = withoutArguments(hasParameters ? bare : whole, 0)?.trim();
  if (text === undefined || text === '') return name;
  // Only a return type may stand in front, and that has parameters behind.
  if (!hasParameters && lastWord(text) !== text) return name;
  const short = lastWord(text).replace(/^[*&]+/, '');
  return short === '' || short.startsWith('::') || TYPES.has(short) ? name : short;
}

/**
 * @param {string} name demangled, where it was mangled
 * @returns {string} never empty unless `name` is
 */
function shortNativeName(name) {
  if (name.length > LONGEST) return name;
  const plain = plainRust(name);
  if (/\boperator\b|<lambda/.test(plain) || plain.startsWith('(')) return plain;
  if (plain.startsWith('<')) {
    // `<main> - app.rb:3` of Ruby and `<module> (app.py:1)` of Python begin so too.
    return plain.includes('>::') ? (withoutArguments(plain, 1)?.trim() ?? plain) : plain;
  }
  return shortCpp(plain);
}

/**
 * Short names for several at once: where two would look alike, both stay whole.
 * @param {Iterable<string>} names of native code
 * @returns {(name: string) => string}
 */
function shortNames(names) {
  /** @type {Map<string, string | null>} */
  const fullOf = new Map();
  for (const name of names) {
    const short = shortNativeName(name);
    const other = fullOf.get(short);
    fullOf.set(short, other === undefined || other === name ? name : null);
  }
  return (name) => {
    const short = shortNativeName(name);
    return fullOf.get(short) === null ? plainRust(name) : short;
  };
}

module.exports = { shortNativeName, shortNames };
