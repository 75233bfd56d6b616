/**
 * What a search finds.
 *
 * @typedef {import('./data.mjs').PageView} PageView
 * @typedef {{ isMatch: Uint8Array, matched: number, nodes: number[] }} Found
 *   by function; time with a match anywhere on its stack; the outermost nodes that match, the heaviest first
 */

/** Text, or a regular expression between slashes; capitals do not matter. @param {string} query @returns {(text: string) => boolean} */
function matcher(query) {
  const expression = /^\/(.+)\/$/.exec(query);
  if (expression !== null) {
    try {
      const pattern = new RegExp(expression[1], 'i');
      return (text) => pattern.test(text);
    } catch {
      // Not complete yet, as it is typed: it is looked for as it stands.
    }
  }
  const text = query.toLowerCase();
  return (each) => each.toLowerCase().includes(text);
}

/**
 * @param {PageView} view
 * @param {Float64Array} total
 * @param {string} query
 * @returns {Found}
 */
export function search({ functions, functionOf, parents }, total, query) {
  if (query === '') return { isMatch: new Uint8Array(functions.length), matched: 0, nodes: [] };
  const matches = matcher(query);
  const isMatch = Uint8Array.from(functions, ({ name, where }) => Number(matches(name) || matches(where)));
  const isBelow = new Uint8Array(parents.length);
  const nodes = [];
  let matched = 0;
  for (let node = 1; node < parents.length; node++) {
    isBelow[node] = isBelow[parents[node]];
    if (isBelow[node] === 0 && isMatch[functionOf[node]] === 1) {
      isBelow[node] = 1;
      matched += total[node];
      if (total[node] > 0) nodes.push(node);
    }
  }
  return { isMatch, matched, nodes: nodes.sort((a, b) => total[b] - total[a]) };
}
