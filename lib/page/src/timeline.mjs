import { time } from './format.mjs';

/** Time over the length of the recording; a window can be drawn with the mouse, or typed. */

/**
 * @param {import('./state.mjs').State} state
 * @param {{ canvas: HTMLCanvasElement, from: HTMLInputElement, to: HTMLInputElement, clear: HTMLButtonElement, label: HTMLElement }} elements
 */
export function createTimeline(state, { canvas, from, to, clear, label }) {
  /** @type {number | null} */
  let anchor = null;
  let end = 0;

  const bucketAt = (/** @type {MouseEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return Math.max(0, Math.min(state.profile.bucketCount - 1, Math.floor(share * state.profile.bucketCount)));
  };

  function window() {
    return anchor === null ? [state.choice.from, state.choice.to] : [Math.min(anchor, end), Math.max(anchor, end) + 1];
  }

  function draw() {
    const ratio = globalThis.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio];
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d');
    if (context === null) return;
    const style = getComputedStyle(canvas);
    const highest = Math.max(...state.buckets, 1);
    const [begin, stop] = window();
    for (let i = 0; i < state.profile.bucketCount; i++) {
      const tall = (state.buckets[i] / highest) * height;
      // Colours that CSS has resolved; style.css puts them there.
      context.fillStyle = i >= begin && i < stop ? style.color : style.textDecorationColor;
      context.fillRect(
        (i * width) / state.profile.bucketCount,
        height - tall,
        Math.max(1, width / state.profile.bucketCount - ratio / 2),
        tall,
      );
    }
    const isWhole = begin === 0 && stop === state.profile.bucketCount;
    clear.disabled = isWhole;
    from.value = String(Math.round(begin * state.profile.bucketMs));
    to.value = String(Math.round(stop * state.profile.bucketMs));
    label.textContent = isWhole ? 'whole recording' : `${time((stop - begin) * state.profile.bucketMs * 1e6)} chosen`;
  }

  canvas.addEventListener('mousedown', (event) => {
    anchor = bucketAt(event);
    end = anchor;
    draw();
  });
  globalThis.addEventListener('mousemove', (event) => {
    if (anchor === null) return;
    end = bucketAt(event);
    draw();
  });
  globalThis.addEventListener('mouseup', () => {
    if (anchor === null) return;
    const [begin, stop] = window();
    anchor = null;
    state.choose({ from: begin, to: stop });
  });
  clear.addEventListener('click', () => state.choose({ from: 0, to: state.profile.bucketCount }));
  const typed = () => {
    const begin = Math.max(
      0,
      Math.min(state.profile.bucketCount - 1, Math.floor(Number(from.value) / state.profile.bucketMs)),
    );
    const stop = Math.max(
      begin + 1,
      Math.min(state.profile.bucketCount, Math.ceil(Number(to.value) / state.profile.bucketMs)),
    );
    state.choose({ from: begin, to: stop });
  };
  from.addEventListener('change', typed);
  to.addEventListener('change', typed);
  return { draw };
}
