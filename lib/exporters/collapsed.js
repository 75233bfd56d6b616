'use strict';

const { GC, PROGRAM, displayName, placer } = require('../recording/frames');
const { encodePlace } = require('../recording/place-encoding');
const { measureOf } = require('../recording/measure');
const { sumStacks } = require('../recording/model');
const { threadNamer } = require('../recording/recorded-processes');

/**
 * Collapsed stacks, the input of flame graph tools: one line a stack, `thread;frame;frame value`, root first. The format knows
 * neither threads nor units, so the thread says what it is, much as async-profiler's does: `[node main tid=7 us]`, and of several
 * processes `[app 5: node main tid=7 us]`, the values in microseconds. Frame suffixes are async-profiler's: `_[j]` compiled JavaScript, `_[0]` interpreted, `_[i]` inlined, none for
 * native code. A blank in a path is `%20`, so that names and paths can be told apart again.
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

/** @param {Frame} frame @param {(frame: Frame) => string} whereOf */
function label(frame, whereOf) {
  const where = frame.url === '' ? '' : whereOf(frame);
  return `${clean(displayName(frame))}${where === '' ? '' : ` ${encodePlace(where)}`}${suffix(frame)}`;
}

/** Values in the file, of one in the recording. @param {Recording} recording */
function unitOf(recording) {
  const { unit } = measureOf(recording);
  if (unit !== 'nanoseconds') return { name: unit, scale: 1 };
  return { name: recording.mode === 'wall' ? 'wall-us' : 'us', scale: 1000 };
}

/**
 * @param {Recording} recording
 * @returns {Generator<string>} lines, each with its line feed
 */
function* collapsedPieces(recording) {
  const whereOf = placer(recording.frames);
  const labels = recording.frames.map((frame) => label(frame, whereOf));
  const unit = unitOf(recording);
  const nameOf = threadNamer(recording);
  const threads = new Map(
    recording.threads.map((thread) => [
      thread.id,
      `[${clean(nameOf(thread))} ${thread.kind} tid=${thread.tid} ${unit.name}]`,
    ]),
  );
  /** @type {Map<string, number>} */
  const lines = new Map();
  for (const { stack, isGc, thread, cpuNs } of sumStacks(recording)) {
    const parts = isGc ? [GC] : [];
    if (stack === 0 && !isGc) parts.push(PROGRAM);
    for (let node = stack; node !== 0; node = recording.stackParents[node]) {
      parts.push(labels[recording.stackFrames[node]]);
    }
    parts.push(threads.get(thread) ?? `[thread native tid=${thread} ${unit.name}]`);
    const line = parts.reverse().join(';');
    lines.set(line, (lines.get(line) ?? 0) + cpuNs);
  }
  for (const [line, ns] of lines) {
    const value = Math.round(ns / unit.scale);
    if (value > 0) yield `${line} ${value}\n`;
  }
}

module.exports = { collapsedPieces };
