import { percent, points, value } from './format.mjs';

/**
 * Frames in words.
 *
 * @typedef {import('../model/state.mjs').State} State
 */

/** Places that are named. */
const NAMED = 3;

/** @param {State} state @param {number} node where in the function its time is, by line and tier @returns {string} */
function placesText(state, node) {
  const parts = state.placesOf(node).filter(({ text }) => text !== '');
  if (parts.length === 0) return '';
  const all = parts.reduce((sum, { total }) => sum + total, 0);
  if (parts.length === 1) return parts[0].text;
  const texts = parts.slice(0, NAMED).map(({ text, total }) => `${text} ${percent(total, all)}`);
  return [...texts, ...(parts.length > NAMED ? [`${parts.length - NAMED} more`] : [])].join(', ');
}

/** @param {State} state @param {number} total @param {number} self */
export function timesText({ profile, sums }, total, self) {
  const all = sums.total[0];
  return `${value(total, profile.unit)} total (${percent(total, all)}), ${value(self, profile.unit)} self (${percent(self, all)})`;
}

/** @param {State} state @param {number} fn @param {boolean} [isInlined] */
export function functionText({ view }, fn, isInlined = false) {
  const { name, full, where } = view.functions[fn];
  return `${full ?? name}${isInlined ? ' (inlined)' : ''}${where === '' ? '' : `, ${where}`}`;
}

/** In a difference what a node's share has gained since before; '' elsewhere. @param {State} state @param {number} node */
function changeText({ sums, before }, node) {
  if (before === null) return '';
  return `, ${points(sums.total[node] / (sums.total[0] || 1) - before[node] / (before[0] || 1))}`;
}

/** @param {State} state @param {number} node of the stack tree */
export function nodeText(state, node) {
  const { sums, view } = state;
  const times = `${timesText(state, sums.total[node], sums.self[node])}${changeText(state, node)}`;
  if (node === 0) return `all: ${times}`;
  const places = placesText(state, node);
  const name = functionText(state, view.functionOf[node], view.isInlined[node] === 1);
  return `${name}: ${times}${places === '' ? '' : `; ${places}`}`;
}

/** A stack as text, leaf first, as JavaScript's errors write theirs. @param {State} state @param {number} node */
export function stackText({ view }, node) {
  const lines = [];
  for (let at = node; at !== 0; at = view.parents[at]) {
    const { name, full, where } = view.functions[view.functionOf[at]];
    lines.push(`    at ${full ?? name}${where === '' ? '' : ` (${where})`}`);
  }
  return lines.join('\n');
}
