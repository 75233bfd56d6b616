import { readSources } from '../model/data.mjs';
import { functionText } from '../parts/describe.mjs';
import { make, shareBar } from '../parts/dom.mjs';
import { percent, value } from '../parts/format.mjs';
import { List } from '../parts/list.mjs';

/**
 * The lines of the script that the picked function is in, with their time: its text where the page has it, else the lines that have
 * time.
 *
 * @typedef {{ line: number, text: string | null }} Line `text`: null: not in the page; `line` 0: what is left out
 *
 * @param {import('../model/state.mjs').State} state
 * @param {{ title: HTMLElement, list: HTMLElement, note: HTMLElement }} elements
 */
export function createSourceView(state, elements) {
  /** By URL; read when they are first looked at. @type {Map<string, import('../model/data.mjs').SourceText> | null} */
  let known = null;
  const sourceOf = (/** @type {string} */ url) => {
    known ??= new Map(readSources().map((source) => [source.url, source]));
    return known.get(url);
  };
  /** @type {Line[]} */
  let lines = [];
  let active = -1;
  /** @type {string | null} what was last gone to */
  let shown = null;
  /** @type {Map<number, { self: number, total: number }>} */
  let times = new Map();
  const list = new List(elements.list, {
    ...{ label: 'Lines of the source with their time', role: 'grid' },
    columns: [
      { key: 'total', title: 'Total', width: '84px', isNumber: true },
      { key: 'self', title: 'Self', width: '84px', isNumber: true },
      { key: 'line', title: 'Line', width: '56px', isNumber: true },
      { key: 'text', title: 'Text', width: 'minmax(220px, 1fr)' },
    ],
    onActive: (index) => {
      active = index;
      list.show(lines.length, (i) => rowOf(lines[i]), active);
    },
    onOpen: () => state.show('sandwich'),
  });

  /** @param {string} url @returns {Line[]} */
  function linesOf(url) {
    const source = sourceOf(url);
    if (source?.parts === undefined) {
      return [...times.keys()].sort((a, b) => a - b).map((line) => ({ line, text: null }));
    }
    /** @type {Line[]} */
    const all = [];
    for (const { line: first, lines: texts } of source.parts) {
      const before = all.at(-1)?.line ?? 0;
      if (first > before + 1) all.push({ line: 0, text: `… ${first - before - 1} lines without time` });
      all.push(...texts.map((text, i) => ({ line: first + i, text })));
    }
    return all;
  }

  function draw() {
    const fn = state.picked;
    const picked = fn === null ? undefined : state.view.functions[fn];
    const url = picked?.url;
    if (fn === null || picked === undefined || url === undefined) {
      lines = [];
      shown = null;
      elements.title.textContent = picked === undefined ? 'No function is chosen.' : functionText(state, Number(fn));
      elements.note.textContent =
        picked === undefined ? 'Choose a function of JavaScript in another view.' : 'It is no function of a script.';
      list.show(0, () => ({ cells: [] }), -1);
      return;
    }
    times = state.linesOf(url);
    lines = linesOf(url);
    elements.title.textContent = functionText(state, fn);
    elements.note.textContent = noteOf(url);
    const key = `${fn} ${url}`;
    if (key !== shown) {
      const index = lines.findIndex(({ line }) => line === hottestLine(fn, picked.line ?? 0));
      active = index;
      list.show(lines.length, (i) => rowOf(lines[i]), active);
      if (index >= 0) list.reveal(index, true);
      shown = key;
    } else list.show(lines.length, (i) => rowOf(lines[i]), active);
  }

  /** The line of the function that most of its own time is in. @param {number} fn @param {number} begin where it begins */
  function hottestLine(fn, begin) {
    const own = state.linesOfFunction(fn);
    return [...own].sort((a, b) => b[1].self - a[1].self || b[1].total - a[1].total)[0]?.[0] ?? begin;
  }

  /** @param {string} url */
  function noteOf(url) {
    const source = sourceOf(url);
    if (source?.parts !== undefined) return '';
    return `The text is not here: ${source?.why ?? (state.profile.hasSources ? 'it had no time' : 'the page was written without sources')}.`;
  }

  /** @param {Line} line @returns {import('../parts/list.mjs').Row} */
  function rowOf({ line, text }) {
    const time = times.get(line);
    const all = state.sums.total[0];
    const words = (/** @type {number} */ ns) => (ns === 0 ? '' : shareBar(ns / (all || 1), `${percent(ns, all)}`));
    const isBegin = line > 0 && line === state.view.functions[state.picked ?? 0]?.line;
    const code = make('code', { title: time === undefined ? null : value(time.total, state.profile.unit) }, text ?? '');
    return {
      cells: [words(time?.total ?? 0), words(time?.self ?? 0), line > 0 ? String(line) : '', code],
      class: `${line === 0 ? 'gap' : ''}${isBegin ? ' begin' : ''}${time === undefined ? '' : ' timed'}`.trim(),
    };
  }

  return { draw, press: () => false };
}
