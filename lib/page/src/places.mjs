import { percent } from './format.mjs';

/** Where in a function its time is, by line and tier, of the whole recording. */

/** Places that are named. */
const NAMED = 3;

/** The first of a sorted column that is not below a value. @param {Float64Array} column @param {number} value */
function lowerBound(column, value) {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** @param {import('./data.mjs').PageProfile} profile @param {number} node @returns {string} in words, or '' */
export function describePlaces({ places, placeNodes, placeNumbers, placeNs }, node) {
  const begin = lowerBound(placeNodes, node);
  const end = lowerBound(placeNodes, node + 1);
  const parts = [];
  for (let i = begin; i < end; i++) parts.push({ text: places[placeNumbers[i]], ns: placeNs[i] });
  if (parts.length === 1) return parts[0].text;
  const all = parts.reduce((sum, { ns }) => sum + ns, 0);
  const named = parts.sort((a, b) => b.ns - a.ns).slice(0, NAMED);
  const texts = named.map(({ text, ns }) => `${text} ${percent(ns, all)}`);
  return [...texts, ...(parts.length > NAMED ? [`${parts.length - NAMED} more`] : [])].join(', ');
}
