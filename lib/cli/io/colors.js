'use strict';

/** Colours, on a terminal alone, and not where `NO_COLOR` (https://no-color.org) or `TERM=dumb` asks for none. */

/** ANSI: Select Graphic Rendition (ECMA-48). */
const STYLES = { bold: 1, red: 31 };

/**
 * @param {{ isTTY?: boolean }} stream that the text is for
 * @param {Record<string, string | undefined>} env
 * @param {keyof typeof STYLES} style
 * @param {string} text
 */
function paint({ isTTY }, env, style, text) {
  if (isTTY !== true || env.NO_COLOR || env.TERM === 'dumb') return text;
  return `\u001b[${STYLES[style]}m${text}\u001b[0m`;
}

module.exports = { paint };
