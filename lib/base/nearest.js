'use strict';

/**
 * Edit distance with transpositions (optimal string alignment).
 * @param {string} a
 * @param {string} b
 */
function distance(a, b) {
  /** @type {number[][]} */
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2][j - 2] + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/**
 * The candidate nearest to a mistyped word, or null when none is near (more than two edits, or more than a third of the
 * word; a candidate that the word begins, or that begins the word, is near too).
 * @param {string} word
 * @param {Iterable<string>} candidates
 * @returns {string | null}
 */
function nearest(word, candidates) {
  const wanted = word.toLowerCase();
  let best = null;
  let bestDistance = Math.max(1, Math.min(3, Math.ceil(wanted.length / 3))) + 0.5;
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    const isPrefix = wanted.length >= 3 && (known.startsWith(wanted) || wanted.startsWith(known));
    const d = isPrefix ? Math.min(1, distance(wanted, known)) : distance(wanted, known);
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

module.exports = { nearest, distance };
