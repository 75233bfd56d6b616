'use strict';

/**
 * A table for people, in columns two spaces apart.
 * @param {string[][]} rows the first one: headings
 * @param {number} words how many columns, from the left, hold words; the others hold numbers and stand to the right
 * @returns {string[]} its lines
 */
function tableLines(rows, words) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) =>
    cells
      .map((cell, i) => (i < words ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}

module.exports = { tableLines };
