/** Kinds of frames with their words and colours; the order is the legend's. Colours are CSS variables of style.css. */

/** @type {Record<string, string>} */
export const KINDS = {
  app: 'JavaScript of the program',
  dependency: 'JavaScript of dependencies',
  core: 'Node.js',
  builtin: 'V8 builtin',
  native: 'native',
  system: 'system call',
  gc: 'garbage collection',
  compilation: 'compilation and parsing',
  other: 'other',
};

/** A shade for a function, the same in every profile. @param {string} name */
export function shadeOf(name) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return (hash % 7) - 3;
}

/**
 * @param {string} kind
 * @param {string} name
 */
export function colorOf(kind, name) {
  return `color-mix(in oklab, var(--${kind}), var(--shade) ${(shadeOf(name) + 3) * 4}%)`;
}

/** Red for what has grown, blue for what has shrunk. @param {number} change of the whole, -1 to 1 */
export function colorOfChange(change) {
  const strength = Math.min(100, Math.round(Math.sqrt(Math.abs(change)) * 200));
  if (strength < 4) return 'var(--same)';
  return `color-mix(in oklab, var(--${change > 0 ? 'grown' : 'shrunk'}) ${strength}%, var(--same))`;
}
