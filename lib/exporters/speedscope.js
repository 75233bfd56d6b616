'use strict';

const { GC, PROGRAM, displayName, frameWhere } = require('../recording/frames');
const { measureOf } = require('../recording/measure');
const { STATE_GC, sampledThreads, samplesOfThread, weightsOf } = require('../recording/model');
const { processName, processesOf, threadNamer } = require('../recording/recorded-processes');

/**
 * Speedscope's file format (https://www.speedscope.app/file-format-schema.json): a `sampled` profile for each thread, its
 * samples in order of time, weights in nanoseconds of CPU time (in wall mode wall time). Neighbours with the same stack are
 * one sample.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeThread} Thread
 */

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';

/** The frames of all profiles; those for a collection and for no stack at the end. @param {Recording} recording */
function sharedFrames({ frames }) {
  return [
    ...frames.map((frame) => {
      const name = displayName(frame);
      const file = frameWhere({ ...frame, line: 0 });
      const place = frame.url !== '' && frame.line > 0 ? { line: frame.line, col: frame.column } : {};
      return file === '' ? { name } : { name, file, ...place };
    }),
    { name: GC },
    { name: PROGRAM },
  ];
}

/**
 * Runs of samples with one stack.
 * @param {Recording} recording
 * @param {Thread} thread
 * @returns {Generator<{ stack: number, isGc: boolean, ns: number }>}
 */
function* runsOf(recording, { id }) {
  const { sampleStacks, sampleStates } = recording;
  const weights = weightsOf(recording);
  const { begin, end } = samplesOfThread(recording, id);
  /** @type {{ stack: number, isGc: boolean, ns: number } | null} */
  let run = null;
  for (let i = begin; i < end; i++) {
    const isGc = (sampleStates[i] & STATE_GC) !== 0;
    if (run !== null && run.stack === sampleStacks[i] && run.isGc === isGc) {
      run.ns += weights[i];
      continue;
    }
    if (run !== null) yield run;
    run = { stack: sampleStacks[i], isGc, ns: weights[i] };
  }
  if (run !== null) yield run;
}

/** Root first. @param {Recording} recording @param {{ stack: number, isGc: boolean }} run */
function frameNumbers({ frames, stackFrames, stackParents }, { stack, isGc }) {
  const numbers = isGc ? [frames.length] : [];
  if (stack === 0 && !isGc) numbers.push(frames.length + 1);
  for (let node = stack; node !== 0; node = stackParents[node]) numbers.push(stackFrames[node]);
  return numbers.reverse();
}

/** Threads that have samples, and their profiles' names. @param {Recording} recording */
function profiledThreads(recording) {
  const nameOf = threadNamer(recording);
  return sampledThreads(recording).map((thread) => ({
    thread,
    name: `${nameOf(thread)} (${thread.kind}, ${thread.tid})`,
  }));
}

/**
 * @param {Recording} recording
 * @returns {Generator<string>}
 */
function* speedscopePieces(recording) {
  const { version } = require('../../package.json');
  const threads = profiledThreads(recording);
  const { unit: own } = measureOf(recording);
  const unit = own === 'count' ? 'none' : own;
  const main = Math.max(
    0,
    threads.findIndex(({ thread }) => thread.kind === 'main'),
  );
  const processes = processesOf(recording).map(processName).join(', ');
  const name = `${recording.execPath} ${recording.nodeVersion}, ${processes}`;
  const head = { $schema: SCHEMA, exporter: `spprof@${version}`, name, activeProfileIndex: main };
  yield `${JSON.stringify(head).slice(0, -1)},"shared":{"frames":[`;
  for (const [i, frame] of sharedFrames(recording).entries()) yield `${i === 0 ? '' : ','}\n${JSON.stringify(frame)}`;
  yield ']},"profiles":[';
  for (const [k, { thread, name: title }] of threads.entries()) {
    const runs = [...runsOf(recording, thread)];
    const endValue = runs.reduce((sum, { ns }) => sum + ns, 0);
    const profile = { type: 'sampled', name: title, unit, startValue: 0, endValue };
    yield `${k === 0 ? '' : ','}\n${JSON.stringify(profile).slice(0, -1)},"samples":[`;
    for (const [i, run] of runs.entries()) yield `${i === 0 ? '' : ','}[${frameNumbers(recording, run).join()}]`;
    yield '],"weights":[';
    for (const [i, { ns }] of runs.entries()) yield `${i === 0 ? '' : ','}${ns}`;
    yield ']}';
  }
  yield ']}\n';
}

module.exports = { speedscopePieces };
