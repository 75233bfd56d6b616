'use strict';

/**
 * Names come from programs, and from other people's files: what is written for people shows a control character instead
 * of sending it to a terminal, which would clear the screen, set its title, or be made to show another row than there is.
 */

/**
 * C0 and C1 controls, DEL, line and paragraph separators, and the marks that turn the direction of text (Unicode's
 * Bidi_Control: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const SHORT = /** @type {Record<string, string>} */ ({ '\n': '\\n', '\r': '\\r', '\t': '\\t' });

/** @param {string} character of `HIDDEN` @returns {string} */
function escaped(character) {
  const code = character.charCodeAt(0);
  if (SHORT[character] !== undefined) return SHORT[character];
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * One line for people: nothing in it moves a terminal's cursor or changes its state.
 * @param {string} line
 * @returns {string} the same where nothing is hidden
 */
function visible(line) {
  return line.replace(HIDDEN, escaped);
}

module.exports = { visible };
