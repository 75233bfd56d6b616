import { groupByProcess, isThreadIn, threadKey, threadLabel, threadName } from '../model/threads.mjs';
import { TimeRange } from '../model/time-range.mjs';
import { kindOfCategory } from '../parts/colors.mjs';
import { contextOf, make, setAttributes } from '../parts/dom.mjs';
import { clock, time } from '../parts/format.mjs';
import { drawAxis, drawTrack } from './track-drawing.mjs';

/**
 * The time line: for each thread what kind of work it did, its collections and its marks. A drag chooses a span, which filters all other
 * views; the wheel with Ctrl and the keys + and - zoom, arrow keys move.
 *
 * @param {import('../model/state.mjs').State} state
 * @param {{ section: HTMLElement, axis: HTMLCanvasElement, rows: HTMLElement, from: HTMLInputElement, to: HTMLInputElement,
 *   whole: HTMLElement, label: HTMLElement, into: HTMLElement, out: HTMLElement }} elements
 * @param {import('./view-tools.mjs').Tools} tools
 */
export function createTracks(state, elements, { palette, hover }) {
  const { profile } = state;
  const range = new TimeRange(profile.bucketCount);
  /** Where a drag began and is, in steps. @type {{ begin: number, end: number } | null} */
  let drag = null;
  const weightOf = (/** @type {number} */ id) =>
    (state.tracks.get(id) ?? []).reduce((sum, steps) => sum + steps.reduce((all, ns) => all + ns, 0), 0);

  const tracks = groupByProcess(profile.threads).flatMap(({ key, label, threads }) => {
    const sorted = [...threads].sort((a, b) => weightOf(b.id) - weightOf(a.id));
    const head = key === '' ? [] : [{ thread: null, key, label, name: label }];
    return [
      ...head,
      ...sorted.map((thread) => ({
        thread,
        key: threadKey(thread),
        label: threadLabel(thread),
        name: threadName(threads, thread),
      })),
    ];
  });
  const made = tracks.map(({ thread, key, label, name }) => {
    const button = make('button', { type: 'button', class: 'thread', title: label }, name);
    button.addEventListener('click', () => state.choose({ thread: state.choice.thread === key ? '' : key }));
    const canvas = make('canvas', { 'aria-hidden': 'true' });
    const row = make('div', { class: thread === null ? 'track process' : 'track', 'data-thread': key }, button, canvas);
    if (thread !== null) follow(canvas, thread);
    return { thread, key, button, canvas, row };
  });
  setAttributes(elements.section, {
    ...{ tabindex: 0, role: 'group' },
    'aria-label':
      'Time line; arrow keys move, plus and minus zoom, Shift with an arrow key chooses, Enter zooms to what is chosen, Escape undoes',
  });
  elements.rows.append(...made.map(({ row }) => row));
  follow(elements.axis, null);

  /** @param {MouseEvent} event @param {HTMLCanvasElement} canvas */
  function stepAt({ clientX }, canvas) {
    const { left, width } = canvas.getBoundingClientRect();
    return range.stepAt((clientX - left) / width);
  }

  /** @param {HTMLCanvasElement} canvas @param {import('../model/data.mjs').PageThread | null} thread */
  function follow(canvas, thread) {
    canvas.addEventListener('mousedown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      elements.section.focus();
      const at = stepAt(event, canvas);
      drag = { begin: at, end: at };
      const move = (/** @type {MouseEvent} */ next) => {
        drag = { begin: at, end: stepAt(next, canvas) };
        draw();
      };
      const end = () => {
        removeEventListener('mousemove', move);
        removeEventListener('mouseup', end);
        const span = spanShown();
        const isClick = drag?.begin === drag?.end;
        drag = null;
        if (isClick) draw();
        else state.choose(span);
      };
      addEventListener('mousemove', move);
      addEventListener('mouseup', end);
    });
    canvas.addEventListener('mousemove', (event) => hover(wordsAt(stepAt(event, canvas), thread), event));
    canvas.addEventListener('mouseleave', (event) => hover(null, event));
  }

  /** @param {number} step @param {import('../model/data.mjs').PageThread | null} thread */
  function wordsAt(step, thread) {
    const { bucketMs, categories, marks } = profile;
    const near = marks.filter(
      (mark) =>
        (thread === null || mark.thread === thread.id) && Math.abs(mark.atMs / bucketMs - step) < range.length / 200,
    );
    const named = near.slice(0, 3).map(({ name, detail }) => `mark ${name}${detail === '' ? '' : ` ${detail}`}`);
    const steps = thread === null ? undefined : state.tracks.get(thread.id);
    const sums = (steps ?? []).map((each, i) => ({ name: categories[i], ns: each[step] })).filter(({ ns }) => ns > 0);
    const work = sums.sort((a, b) => b.ns - a.ns).map(({ name, ns }) => `${name} ${time(ns)}`);
    const head = `${clock(step * bucketMs, bucketMs)}${thread === null ? '' : `, ${thread.name}`}`;
    return `${head}: ${[...named, ...work].join(', ') || 'nothing'}`;
  }

  function spanShown() {
    if (drag === null) return { from: state.choice.from, to: state.choice.to };
    return { from: Math.min(drag.begin, drag.end), to: Math.max(drag.begin, drag.end) + 1 };
  }

  function draw() {
    const { bucketMs, bucketCount, unit } = profile;
    const span = spanShown();
    const colors = profile.categories.map((name) => palette.of(kindOfCategory(name)));
    const { category, owner } = state.choice;
    const lit = category ?? (owner === null ? null : profile.owners[owner].category);
    const width = elements.axis.clientWidth;
    const paint = { range, span, bucketMs, palette, profile };
    drawAxis(contextOf(elements.axis, width, elements.axis.clientHeight), width, elements.axis.clientHeight, paint);
    const all = [...state.tracks.values()];
    // Time has a scale of its own: one CPU. What is no time is drawn as high as the highest.
    const highest =
      unit === 'nanoseconds'
        ? bucketMs * 1e6
        : Math.max(1, ...all.flat().map((steps) => steps.reduce((a, b) => Math.max(a, b), 0)));
    for (const { thread, key, button, canvas } of made) {
      const isChosen = thread === null ? state.choice.thread === key : isThreadIn(thread, state.choice.thread);
      setAttributes(button, { 'aria-pressed': String(state.choice.thread !== '' && isChosen) });
      canvas.classList.toggle('out', !isChosen);
      if (thread === null) continue;
      const context = contextOf(canvas, canvas.clientWidth, canvas.clientHeight);
      drawTrack(context, canvas.clientWidth, canvas.clientHeight, {
        ...paint,
        thread,
        steps: state.tracks.get(thread.id) ?? [],
        highest,
        colors,
        lit,
      });
    }
    const isWhole = span.from === 0 && span.to === bucketCount;
    /** @type {HTMLButtonElement} */ (elements.whole).disabled = isWhole;
    elements.from.value = String(Math.round(span.from * bucketMs));
    elements.to.value = String(Math.round(span.to * bucketMs));
    elements.label.textContent = isWhole
      ? time(bucketCount * bucketMs * 1e6)
      : `${time((span.to - span.from) * bucketMs * 1e6)} chosen`;
  }

  /** @param {number} factor @param {number} [middle] step */
  function zoom(factor, middle) {
    range.zoom(factor, middle ?? range.begin + range.length / 2);
    draw();
  }

  /** What is chosen, moved or made longer at its end. @param {number} by steps @param {boolean} isEnd */
  function moveSpan(by, isEnd) {
    const { from, to } = state.choice;
    const end = profile.bucketCount;
    if (isEnd) state.choose({ to: Math.max(from + 1, Math.min(end, to + by)) });
    else {
      const moved = Math.max(-from, Math.min(end - to, by));
      state.choose({ from: from + moved, to: to + moved });
    }
  }

  /** Keys of the time line, while it has the focus. @param {string} key @param {boolean} isShift */
  function press(key, isShift) {
    const step = Math.max(1, Math.round(range.length / 20));
    const isChosen = state.choice.to - state.choice.from < profile.bucketCount;
    const by = key === 'ArrowLeft' ? -step : step;
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      if (isShift) moveSpan(by, true);
      else if (isChosen && range.isWhole) moveSpan(by, false);
      else {
        range.move(by);
        draw();
      }
    } else if (key === '+' || key === '=') zoom(0.5);
    else if (key === '-') zoom(2);
    else if (key === 'Enter' && isChosen) {
      range.set(state.choice.from, state.choice.to);
      draw();
    } else if (key === 'Enter')
      state.choose({ from: Math.floor(range.begin), to: Math.ceil(range.begin + range.length) });
    else if (key === 'Escape' && isChosen) state.choose({ from: 0, to: profile.bucketCount });
    else if (key === 'Escape' && !range.isWhole) {
      range.set(0, profile.bucketCount);
      draw();
    } else return false;
    return true;
  }

  elements.section.addEventListener('keydown', (event) => {
    if (event.target !== elements.section || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!press(event.key, event.shiftKey)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  elements.section.addEventListener(
    'wheel',
    (event) => {
      const isAcross = Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey && !isAcross) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, stepAt(event, elements.axis));
      else {
        range.move(((isAcross ? event.deltaX : event.deltaY) / elements.axis.clientWidth) * range.length);
        draw();
      }
    },
    { passive: false },
  );
  elements.into.addEventListener('click', () => {
    if (state.choice.to - state.choice.from < profile.bucketCount) press('Enter', false);
    else zoom(0.5);
  });
  elements.out.addEventListener('click', () => zoom(2));
  elements.whole.addEventListener('click', () => {
    range.set(0, profile.bucketCount);
    state.choose({ from: 0, to: profile.bucketCount });
  });
  const typed = () => {
    const { bucketCount, bucketMs } = profile;
    const from = Math.max(0, Math.min(bucketCount - 1, Math.floor(Number(elements.from.value) / bucketMs)));
    const to = Math.max(from + 1, Math.min(bucketCount, Math.ceil(Number(elements.to.value) / bucketMs)));
    state.choose({ from, to });
  };
  elements.from.addEventListener('change', typed);
  elements.to.addEventListener('change', typed);
  return { draw };
}
