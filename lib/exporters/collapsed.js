'use strict';

const { GC, PROGRAM, displayName, frameWhere } = require('../frames');
const { sumStacks } = require('../model');

/**
 * Collapsed stacks, the input of flame graph tools: one line a stack, `thread;frame;frame value`, root first, the value in
 * microseconds of CPU time. Frame suffixes as async-profiler has them: `_[j]` compiled JavaScript, `_[0]` interpreted,
 * `_[i]` inlined, none for native code.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 */

/** @param {string} text */
function clean(text) {
  return text.replace(/;/g, ':').replace(/[\r\n]+/g, ' ');
}

/** @param {Frame} frame */
function suffix(frame) {
  if (frame.kind !== 'js' && frame.kind !== 'unknown-js') return '';
  if (frame.inlined) return '_[i]';
  return frame.tier === 'interpreted' ? '_[0]' : '_[j]';
}

/** @param {Frame} frame */
function label(frame) {
  const where = frame.kind === 'js' ? frameWhere(frame) : '';
  return clean(`${displayName(frame)}${where === '' ? '' : ` ${where}`}${suffix(frame)}`);
}

/**
 * @param {Recording} recording
 * @returns {Generator<string>} lines, each with its line feed
 */
function* collapsedPieces(recording) {
  const labels = recording.frames.map(label);
  const threads = new Map(recording.threads.map((thread) => [thread.id, clean(thread.name)]));
  /** @type {Map<string, number>} */
  const lines = new Map();
  for (const { stack, isGc, thread, cpuNs } of sumStacks(recording)) {
    const parts = isGc ? [GC] : [];
    if (stack === 0 && !isGc) parts.push(PROGRAM);
    for (let node = stack; node !== 0; node = recording.stackParents[node]) {
      parts.push(labels[recording.stackFrames[node]]);
    }
    parts.push(threads.get(thread) ?? `thread ${thread}`);
    const line = parts.reverse().join(';');
    lines.set(line, (lines.get(line) ?? 0) + cpuNs);
  }
  for (const [line, ns] of lines) {
    const us = Math.round(ns / 1000);
    if (us > 0) yield `${line} ${us}\n`;
  }
}

module.exports = { collapsedPieces };
