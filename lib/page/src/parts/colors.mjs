/** Colours of frames and categories. They are CSS variables of style/theme.css; a canvas gets them as the browser has resolved them. */

/** The kind whose colour a category has. @type {Record<string, string>} */
const KIND_OF_CATEGORY = {
  'your code': 'app',
  dependencies: 'dependency',
  'Node.js': 'core',
  native: 'native',
  'garbage collection': 'gc',
  compilation: 'compilation',
  other: 'other',
};

/** @param {string} category */
export function kindOfCategory(category) {
  return KIND_OF_CATEGORY[category] ?? 'other';
}

const SHADES = 6;

/** A shade for a function, the same in every profile. @param {string} name */
function shadeOf(name) {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return hash % SHADES;
}

/** Red for what has grown, blue for what has shrunk. @param {number} change of the whole, -1 to 1 */
function changeColor(change) {
  const strength = Math.min(100, Math.round(Math.sqrt(Math.abs(change)) * 200));
  if (strength < 4) return 'var(--same)';
  return `color-mix(in oklab, var(--${change > 0 ? 'grown' : 'shrunk'}) ${strength}%, var(--same))`;
}

/** Colours for canvases, in the present theme. */
export class Palette {
  /** @type {Map<string, string>} */
  #resolved = new Map();

  /** @param {HTMLElement} probe an element that is not seen, whose colour is asked for */
  constructor(probe) {
    this.probe = probe;
  }

  /** The theme has changed. */
  forget() {
    this.#resolved.clear();
  }

  /** @param {string} css a colour @returns {string} one without variables */
  resolve(css) {
    let color = this.#resolved.get(css);
    if (color === undefined) {
      this.probe.style.color = css;
      color = getComputedStyle(this.probe).color;
      this.#resolved.set(css, color);
    }
    return color;
  }

  /** @param {string} name of a variable */
  of(name) {
    return this.resolve(`var(--${name})`);
  }

  /** @param {string} kind @param {string} name of the function */
  frame(kind, name) {
    return this.resolve(`color-mix(in oklab, var(--${kind}), var(--shade) ${shadeOf(name) * 4}%)`);
  }

  /** @param {number} change of the whole, -1 to 1 */
  change(change) {
    return this.resolve(changeColor(change));
  }
}
