'use strict';

const { roleOf } = require('../views/frame-roles');
const { shortNativeName } = require('../recording/native-names');
const { filterRecording } = require('../recording/recording-sets');
const { STATE_OFF_CPU, sumStacks, totalWeight, weightsOf } = require('../recording/model');

/**
 * A recording as the rules of the advice look at it: stacks as lists of frames, and what lies on top of the program's own code.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {{ frame: Frame, ns: number, samples: number }} Place a line of a function, and the time that is due to it
 * @typedef {{ ns: number, samples: number, places: Place[] }} Tally `places`: the one with the most time first
 */

/** Code of a regular expression: V8 gives it no function. @param {Frame} frame */
function isRegExpCode({ kind, url, functionName }) {
  return kind === 'js' && url === '' && functionName === '(regexp)';
}

/** @param {Frame} frame */
function isScript(frame) {
  return (frame.kind === 'js' || frame.kind === 'unknown-js') && !isRegExpCode(frame);
}

/** Code of the program or its dependencies, not of Node.js. @param {Frame} frame */
function isProgram(frame) {
  return isScript(frame) && !frame.url.startsWith('node:');
}

/** What is the same for a line of a function, whatever its tier. @param {Frame} frame */
function placeKey({ functionName, url, line, sampledLine }) {
  return [functionName, url, line, sampledLine].join('\0');
}

/** Where a thread of libuv's pool waits for work. */
const WAITS_FOR_WORK = /^uv_(cond_wait|sem_wait)$/;

/**
 * Whether a sample is of a thread that had something to do. In wall mode those of idle threads would hide the others; a job of libuv's
 * pool that waits for a disk or a core is none of them.
 * @param {Recording} recording in full view @param {Map<Frame, import('../views/frame-roles').Role>} roles
 */
function busyTest({ frames, stackFrames, stackParents, sampleStacks, sampleStates }, roles) {
  const [SCRIPT, POOL, WAITS] = [1, 2, 4];
  const ofFrame = frames.map((frame) => {
    const isPool = roles.get(frame)?.nativeReason === '(libuv pool)';
    return (isScript(frame) ? SCRIPT : 0) | (isPool ? POOL : 0) | (WAITS_FOR_WORK.test(frame.functionName) ? WAITS : 0);
  });
  const ofStack = new Uint8Array(stackParents.length);
  // A parent's number is lower than its children's.
  for (let node = 1; node < ofStack.length; node++)
    ofStack[node] = ofStack[stackParents[node]] | ofFrame[stackFrames[node]];
  return (/** @type {number} */ i) => {
    const of = ofStack[sampleStacks[i]];
    return (sampleStates[i] & STATE_OFF_CPU) === 0 || (of & SCRIPT) !== 0 || (of & (POOL | WAITS)) === POOL;
  };
}

/** A recording in one view: its time by thread and stack. */
class Stacks {
  /** @type {Map<number, Frame[]>} */
  #paths = new Map();

  /** @param {Recording} recording */
  constructor(recording) {
    this.recording = recording;
    /** What each sample stands for, nanoseconds. */
    this.weights = weightsOf(recording);
    /** Time by thread and stack. */
    this.sums = [...sumStacks(recording)];
  }

  /** The frames of a stack, leaf first. @param {number} stack @returns {Frame[]} */
  path(stack) {
    let path = this.#paths.get(stack);
    if (path === undefined) {
      path = pathOf(this.recording, stack);
      this.#paths.set(stack, path);
    }
    return path;
  }

  /**
   * The time of the stacks that `choose` gives a place of: a frame of the program that it is due to, null for none.
   * @param {(path: Frame[], sum: { thread: number, isGc: boolean, cpuNs: number }) => Frame | null | undefined} choose undefined: the stack
   *   does not count
   * @returns {Tally}
   */
  tally(choose) {
    /** @type {Map<string, Place>} */
    const places = new Map();
    let ns = 0;
    let count = 0;
    for (const sum of this.sums) {
      const frame = choose(this.path(sum.stack), sum);
      if (frame === undefined) continue;
      ns += sum.cpuNs;
      count += sum.samples;
      if (frame === null) continue;
      const key = placeKey(frame);
      const place = places.get(key) ?? { frame, ns: 0, samples: 0 };
      places.set(key, place);
      place.ns += sum.cpuNs;
      place.samples += sum.samples;
    }
    return { ns, samples: count, places: byTime(places.values()) };
  }
}

class Evidence extends Stacks {
  /** @type {Map<Frame, string>} */
  #names = new Map();

  /**
   * @param {Recording} recorded in full view
   * @param {Recording} program the same in program view
   */
  constructor(recorded, program) {
    const roles = new Map(recorded.frames.map((frame) => [frame, roleOf(frame, recorded.execPath)]));
    const isBusy = recorded.mode === 'wall' ? busyTest(recorded, roles) : null;
    const busy = (/** @type {Recording} */ all) => (isBusy === null ? all : filterRecording(all, isBusy));
    super(busy(recorded));
    this.roles = roles;
    /** With the threads that wait for work. */
    this.recorded = recorded;
    this.program = new Stacks(busy(program));
    /** All time that shares are of, nanoseconds. */
    this.ns = totalWeight(this.recording);
  }

  /** What a frame is called, without the parameters of C++. @param {Frame} frame */
  nameOf(frame) {
    let name = this.#names.get(frame);
    if (name === undefined) {
      name = frame.kind === 'native' ? shortNativeName(frame.functionName) : frame.functionName;
      this.#names.set(frame, name);
    }
    return name;
  }

  /** Where the script nearest to the leaf is in a path; its length: there is none. @param {Frame[]} path */
  endOfEngine(path) {
    const at = path.findIndex(isScript);
    return at < 0 ? path.length : at;
  }

  /**
   * What V8 and native code do on top of the script nearest to the leaf: whether any of it is called so.
   * @param {Frame[]} path @param {RegExp} pattern
   */
  isOnTop(path, pattern) {
    const end = this.endOfEngine(path);
    for (let at = 0; at < end; at++) if (pattern.test(this.nameOf(path[at]))) return true;
    return false;
  }
}

/** @param {Recording} recording @param {number} stack @returns {Frame[]} leaf first */
function pathOf({ frames, stackFrames, stackParents }, stack) {
  const path = [];
  for (let node = stack; node !== 0; node = stackParents[node]) path.push(frames[stackFrames[node]]);
  return path;
}

/** The most time first; what has the same is ordered by its place, so that two reports of one file are the same. @param {Iterable<Place>} places */
function byTime(places) {
  const keyed = [...places].map((place) => ({ place, key: placeKey(place.frame) }));
  return keyed
    .sort((a, b) => b.place.ns - a.place.ns || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ place }) => place);
}

/** The frame of the program nearest to the leaf, null: there is none. @param {Frame[]} path @param {number} [from] */
function callerIn(path, from = 0) {
  for (let at = from; at < path.length; at++) if (isProgram(path[at])) return path[at];
  return null;
}

module.exports = { Evidence, callerIn, isProgram, isRegExpCode, isScript, pathOf, placeKey };
