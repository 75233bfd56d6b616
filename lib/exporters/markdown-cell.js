'use strict';

/** A text as one cell of a Markdown table. @param {string} text */
function cell(text) {
  return text.replace(/[\\`*_[\]<>|]/g, '\\$&').replace(/[\r\n]+/g, ' ');
}

module.exports = { cell };
