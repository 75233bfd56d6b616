import { sharesOf } from '../model/sums.mjs';
import { kindOfCategory } from '../parts/colors.mjs';
import { dot, make } from '../parts/dom.mjs';
import { value } from '../parts/format.mjs';

/**
 * Whose time it is, as one bar that adds up to 100 %. A click on a category leaves only its samples in every view, a second one all.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {{ stripe: HTMLElement, chips: HTMLElement }} elements
 */
export function createCategoryBar(state, { stripe, chips }) {
  const { categories, owners } = state.profile;

  /** @param {number} category */
  function toggle(category) {
    state.choose({ category: state.choice.category === category ? null : category, owner: null });
  }

  function draw() {
    const sums = new Float64Array(categories.length);
    state.owners.forEach((ns, owner) => {
      sums[owners[owner].category] += ns;
    });
    const shares = sharesOf(sums);
    const present = categories
      .map((name, number) => ({ name, number, kind: kindOfCategory(name) }))
      .filter(({ number }) => sums[number] > 0);
    const { category, owner } = state.choice;
    const isOut = (/** @type {number} */ number) => category !== null && category !== number;
    stripe.replaceChildren(
      ...present.map(({ name, number, kind }) => {
        const part = make('button', {
          ...{ type: 'button', tabindex: -1, 'aria-hidden': 'true', 'data-category': name },
          ...{ title: `${name}: ${shares[number].toFixed(1)} %`, class: isOut(number) ? 'out' : '' },
        });
        part.style.setProperty('--dot', `var(--${kind})`);
        part.style.flexGrow = String(sums[number]);
        part.addEventListener('click', () => toggle(number));
        return part;
      }),
    );
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.chip;
    chips.replaceChildren(
      ...present.map(({ name, number, kind }) => {
        const share = make('b', {}, `${shares[number].toFixed(1)} %`);
        const chip = make(
          'button',
          {
            ...{ type: 'button', 'data-chip': name, 'aria-pressed': String(category === number) },
            ...{
              class: isOut(number) ? 'chip out' : 'chip',
              title: `${value(sums[number], state.profile.unit)}; click: only these`,
            },
          },
          ...[dot(kind), name, ' ', share],
        );
        chip.addEventListener('click', () => toggle(number));
        return chip;
      }),
      ...(owner === null ? [] : [ownerChip(owner)]),
      ...(state.view.name === 'full' && !state.profile.isDifference ? engineWords() : []),
      ...(state.profile.isDifference ? changeWords() : []),
    );
    if (focused !== undefined)
      /** @type {HTMLElement | null} */ (chips.querySelector(`[data-chip="${CSS.escape(focused)}"]`))?.focus();
  }

  /** @param {number} owner */
  function ownerChip(owner) {
    const chip = make(
      'button',
      { type: 'button', class: 'chip', 'data-chip': 'owner', 'aria-pressed': 'true' },
      `only ${owners[owner].part || categories[owners[owner].category]} ×`,
    );
    chip.addEventListener('click', () => state.choose({ owner: null, category: null }));
    return chip;
  }

  /** Colours of frames that are no category: their time is their callers'. */
  function engineWords() {
    const kinds = new Set(state.view.functions.map(({ kind }) => kind));
    return [
      ['builtin', 'V8 and C runtime'],
      ['system', 'system call'],
    ]
      .filter(([kind]) => kinds.has(kind))
      .map(([kind, words]) => make('span', { class: 'word' }, dot(kind), words));
  }

  /** Colours of frames in a difference. */
  function changeWords() {
    const words = { grown: 'has grown', shrunk: 'has shrunk', same: 'as before' };
    return Object.entries(words).map(([color, text]) => make('span', { class: 'word' }, dot(color), text));
  }

  return { draw };
}
