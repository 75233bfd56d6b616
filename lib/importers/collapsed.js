'use strict';

const { Malformed, RecordingBuilder } = require('./recording-builder');

/**
 * Collapsed stacks (`frame;frame;frame count`, root first), as stackcollapse-perf, async-profiler and we write them. Counts
 * that are not ours have no unit: each stands for a millisecond, and the report says so.
 */

/** What a count stands for, ns: ours are microseconds. */
const COUNT_NS = 1e6;
const OWN_COUNT_NS = 1e3;

/** Suffixes of frames, as async-profiler and we write them. @param {string} text */
function toldOf(text) {
  const [, name, suffix = ''] = /^(.*?)(?:_\[([0ijk1])\])?$/s.exec(text) ?? [];
  const place = /^(.*?) (\S+?)(?::(\d+))?$/.exec(name);
  const kind = /** @type {'js' | 'native'} */ (suffix === '' || suffix === 'k' ? 'native' : 'js');
  const tier = /** @type {'' | 'interpreted'} */ (suffix === '0' ? 'interpreted' : '');
  const inlined = suffix === 'i';
  if (kind === 'js' && place !== null) {
    return {
      functionName: place[1] === '(anonymous)' ? '' : place[1],
      url: place[2],
      line: Number(place[3] ?? 0),
      kind,
      tier,
      inlined,
    };
  }
  return { functionName: name, kind, tier, inlined };
}

/**
 * @param {string} text
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readCollapsed(text) {
  const builder = new RecordingBuilder();
  const isOwn = /_\[[0ij]\]/.test(text);
  const unit = isOwn ? OWN_COUNT_NS : COUNT_NS;
  /** @type {Map<string, number>} */
  const frames = new Map();
  let timeNs = 0;
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const match = /^(.*\S)\s+(\d+(?:\.\d+)?)\s*$/.exec(line);
    if (match === null)
      throw new Malformed(`line ${i + 1}`, `"frame;frame count" is expected, not ${JSON.stringify(line.slice(0, 60))}`);
    const [first, ...rest] = match[1].split(';');
    const thread = builder.thread(first, { kind: builder.isEmpty ? 'main' : 'worker' });
    let stack = 0;
    for (const name of rest.length > 0 ? rest : [first]) {
      let frame = frames.get(name);
      if (frame === undefined) {
        frame = builder.frame(toldOf(name));
        frames.set(name, frame);
      }
      stack = builder.child(stack, frame);
    }
    const ns = Number(match[2]) * unit;
    timeNs += ns;
    builder.add({ thread, timeNs, cpuNs: ns, stack });
  });
  if (builder.isEmpty) throw new Malformed('line 1', 'there is no stack in it');
  return builder.build({ source: 'collapsed', intervalNs: 0 });
}

module.exports = { readCollapsed };
