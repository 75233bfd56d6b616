import { clock } from '../parts/format.mjs';

/**
 * What is drawn on the time line's canvases.
 *
 * @typedef {object} Paint
 * @property {import('../model/time-range.mjs').TimeRange} range
 * @property {{ from: number, to: number }} span that is chosen, in steps
 * @property {number} bucketMs
 * @property {import('../parts/colors.mjs').Palette} palette
 * @property {import('../model/data.mjs').PageProfile} profile
 */

/** Pixels between two times on the axis, at least. */
const TICK = 80;
/** Height of the strip of collections. */
const STRIP = 4;

/** What is not chosen is shaded. @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {Paint} paint */
function shadeRest(context, width, height, { range, span, palette, profile }) {
  if (span.from === 0 && span.to === profile.bucketCount) return;
  const begin = range.shareOf(span.from) * width;
  const end = range.shareOf(span.to) * width;
  context.fillStyle = palette.of('veil');
  if (begin > 0) context.fillRect(0, 0, begin, height);
  if (end < width) context.fillRect(end, 0, width - end, height);
  context.fillStyle = palette.of('accent');
  context.fillRect(begin - 1, 0, 1.5, height);
  context.fillRect(end, 0, 1.5, height);
}

/** Times, and the marks of all threads. @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {Paint} paint */
export function drawAxis(context, width, height, paint) {
  const { range, bucketMs, palette, profile } = paint;
  const spanMs = range.length * bucketMs;
  const rough = spanMs / Math.max(1, Math.floor(width / TICK));
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const stepMs = [1, 2, 5, 10].map((times) => times * power).find((each) => each >= rough) ?? rough;
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  const firstMs = Math.ceil((range.begin * bucketMs) / stepMs) * stepMs;
  for (let ms = firstMs; stepMs > 0 && ms <= (range.begin + range.length) * bucketMs; ms += stepMs) {
    const x = range.shareOf(ms / bucketMs) * width;
    context.fillStyle = palette.of('line');
    context.fillRect(x, height - 4, 1, 4);
    context.fillStyle = palette.of('quiet');
    const words = clock(ms, stepMs);
    if (x + 3 + context.measureText(words).width < width) context.fillText(words, x + 3, height / 2);
  }
  context.fillStyle = palette.of('mark');
  for (const { atMs } of profile.marks) {
    const x = range.shareOf(atMs / bucketMs) * width;
    if (x < -4 || x > width + 4) continue;
    context.beginPath();
    context.moveTo(x - 4, 0);
    context.lineTo(x + 4, 0);
    context.lineTo(x, 7);
    context.fill();
  }
  shadeRest(context, width, height, paint);
}

/**
 * Categories above each other, collections below them, marks across.
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {Paint & { thread: import('../model/data.mjs').PageThread, steps: Float64Array[], highest: number, colors: string[], lit: number | null }} paint
 *   `lit`: the one category that is chosen
 */
export function drawTrack(context, width, height, paint) {
  const { range, bucketMs, palette, profile, thread, steps, highest, colors, lit } = paint;
  const top = height - STRIP - 1;
  const columns = Math.max(1, Math.floor(width));
  for (let x = 0; x < columns; x++) {
    const begin = range.begin + (x / columns) * range.length;
    const end = range.begin + ((x + 1) / columns) * range.length;
    let y = top;
    for (const [category, values] of steps.entries()) {
      const ns = meanOf(values, begin, end);
      if (ns === 0) continue;
      const tall = Math.min(y, (ns / highest) * top);
      context.globalAlpha = lit === null || lit === category ? 1 : 0.2;
      context.fillStyle = colors[category];
      context.fillRect(x, y - tall, 1.02, tall);
      y -= tall;
    }
  }
  context.globalAlpha = 1;
  context.fillStyle = palette.of('gc');
  const { collectionThreads, collectionBegins, collectionEnds } = profile;
  for (let i = 0; i < collectionThreads.length; i++) {
    if (collectionThreads[i] !== thread.id) continue;
    const begin = range.shareOf(collectionBegins[i] / 1e3 / bucketMs) * width;
    const end = range.shareOf(collectionEnds[i] / 1e3 / bucketMs) * width;
    if (end >= 0 && begin <= width) context.fillRect(begin, height - STRIP, Math.max(1, end - begin), STRIP);
  }
  context.fillStyle = palette.of('mark');
  for (const { atMs, thread: own } of profile.marks) {
    if (own === thread.id) context.fillRect(range.shareOf(atMs / bucketMs) * width, 0, 1, height);
  }
  shadeRest(context, width, height, paint);
}

/** The mean of what lies between two places, which are not always whole steps. @param {Float64Array} values @param {number} begin @param {number} end */
function meanOf(values, begin, end) {
  const first = Math.floor(begin);
  const last = Math.min(values.length, Math.max(first + 1, Math.ceil(end)));
  let sum = 0;
  for (let i = first; i < last; i++) sum += values[i];
  return sum / Math.max(1, last - first);
}
