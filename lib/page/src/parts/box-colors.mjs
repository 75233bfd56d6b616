/**
 * The colour of a frame: of a match, of a change, or of its kind.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {import('./colors.mjs').Palette} palette
 * @param {import('../model/tree.mjs').Box} box
 * @param {number | null} node of the stack tree; null: the box is of several
 * @returns {string}
 */
export function colorOfBox({ view, sums, before, query, found }, palette, { fn }, node) {
  if (query !== '' && fn >= 0 && found.isMatch[fn] === 1) return palette.of('match');
  if (before !== null && node !== null) {
    return palette.change(sums.total[node] / (sums.total[0] || 1) - before[node] / (before[0] || 1));
  }
  if (fn < 0) return palette.of('root');
  const { kind, name } = view.functions[fn];
  return palette.frame(kind, name);
}
