'use strict';

const { shortNativeName } = require('../recording/native-names');
const { STATE_GC, STATE_INCOMPLETE, GC_FRAME } = require('../recording/model');
const { StackTree } = require('../recording/stack-tree');
const { roleOf } = require('./frame-roles');
const { SCRIPT, WRAPPERS } = require('./runtime-symbols');

/**
 * A recording as the author of the program wrote it: every stack is mapped to one without the runtime's frames. Samples, their
 * times and weights stay as they are, so that every sum is the same in both views. Pure.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('../../binding').NativeThread} Thread
 * @typedef {import('./frame-roles').Role} Role
 * @typedef {import('./runtime-symbols').Reason} Reason
 * @typedef {{ path: number[], isGc: boolean, isComplete: boolean, thread: Thread | undefined }} Stack `path`: frames, root first
 */

/** A frame that stands for what the runtime did. @param {string} functionName @param {'reason' | 'compilation'} kind @returns {Frame} */
function madeFrame(functionName, kind) {
  return { ...GC_FRAME, functionName, kind };
}

/** `deflate.part.3`, `__GI___read`, `read@plt` → what the function is called in its documentation. @param {string} name */
function entryName(name) {
  return shortNativeName(name).replace(/(\.(part|constprop|isra|cold|lto_priv)(\.\d+)?)+$|@plt$|@@?GLIBC\S*$/g, '');
}

/** @param {string} name of a function of the C library */
function callName(name) {
  return entryName(name)
    .replace(/^(_|__GI_|__libc_|__internal_)+(?=[a-z])/, '')
    .replace(/_(nocancel|cancel)$/, '');
}

/** The frames of the program view, each once, and which of the recording's they stand for. */
class Frames {
  /** @type {Frame[]} */
  all = [];
  /** @type {Map<string, number>} */
  #made = new Map();
  /** @type {Map<number, number>} */
  #kept = new Map();

  /** @param {Recording} recording */
  constructor(recording) {
    this.recorded = recording.frames;
  }

  /** @param {string} key @param {() => Frame} make */
  #once(key, make) {
    let index = this.#made.get(key);
    if (index === undefined) {
      index = this.all.push(make()) - 1;
      this.#made.set(key, index);
    }
    return index;
  }

  /** A function of the program. What the JIT inlined is a function like any other. @param {number} index */
  kept(index) {
    let own = this.#kept.get(index);
    if (own === undefined) {
      const frame = this.recorded[index];
      own = this.all.push(frame.inlined ? { ...frame, inlined: false } : frame) - 1;
      this.#kept.set(index, own);
    }
    return own;
  }

  /** Native code by the function it was entered through; a module without names is one row. @param {number} index @param {boolean} isCall */
  entry(index, isCall) {
    const frame = this.recorded[index];
    const isNamed = !/\+0x[0-9a-f]+$/.test(frame.functionName);
    const functionName = !isNamed ? '' : isCall ? callName(frame.functionName) : entryName(frame.functionName);
    const { module, url, line, column } = frame;
    const key = `native\0${functionName}\0${module}\0${url}\0${line}\0${column}`;
    return this.#once(key, () => ({ ...frame, functionName, startOffset: -1, inlined: false }));
  }

  /** @param {Reason} reason */
  reason(reason) {
    return this.#once(`reason\0${reason}`, () => madeFrame(reason, 'reason'));
  }

  /** @param {Exclude<Role['work'], null>} work */
  work(work) {
    if (work === 'gc') return this.#once('gc', () => GC_FRAME);
    return this.#once(work, () => madeFrame(`(${work})`, 'compilation'));
  }
}

/** @param {Thread | undefined} thread @returns {Reason} */
function scriptReason(thread) {
  return thread?.kind === 'worker' ? '(worker script)' : '(main script)';
}

/** Makes stacks of the program view. */
class ProgramStacks {
  /** @param {Recording} recording */
  constructor(recording) {
    this.roles = recording.frames.map((frame) => roleOf(frame, recording.execPath));
    this.frames = new Frames(recording);
    /** Why native threads run, by their number, where a complete stack of theirs says it. @type {Map<number, Reason>} */
    this.habits = new Map();
  }

  /** The frames that become why the thread runs: those in front of this position of the path. @param {number[]} path */
  #endOfBase(path) {
    const first = path.findIndex((index) => this.#isJs(index));
    if (first < 0) return path.length;
    let end = first;
    while (end < path.length && this.roles[path[end]].part !== 'js') end++;
    // Where nothing of the program is above, what Node.js does is shown.
    return end === path.length ? first : end;
  }

  /** @param {number} index */
  #isJs(index) {
    const { part } = this.roles[index];
    return part === 'js' || part === 'starter';
  }

  /** @param {number[]} base @param {Thread | undefined} thread @returns {Reason | null} */
  reasonIn(base, thread) {
    if (thread?.kind === 'native') {
      const first = base.find((index) => this.roles[index].nativeReason !== null);
      return first === undefined ? null : this.roles[first].nativeReason;
    }
    const said = base.map((index) => this.roles[index].reason).filter((reason) => reason !== null);
    const last = said.at(-1) ?? null;
    return last === SCRIPT ? scriptReason(thread) : last;
  }

  /** @param {number[]} base @param {Stack} stack @returns {Reason | null} null: the stack does not say it */
  #reason(base, { thread, isComplete }) {
    const said = this.reasonIn(base, thread);
    if (said !== null) return said;
    if (thread === undefined || thread.kind === 'native') return this.habits.get(thread?.id ?? -1) ?? '(native thread)';
    return isComplete ? scriptReason(thread) : null;
  }

  /**
   * What stays of a stretch without JavaScript: the function through which native code was entered, and at the end of a stack the
   * system call or the engine's own work.
   * @param {number[]} stretch
   * @param {{ isTop: boolean, isGc: boolean, isHelper?: boolean }} where `isTop`: the stretch ends the stack; `isHelper`: on a thread of V8
   * @param {number[]} out
   */
  #native(stretch, { isTop, isGc, isHelper = false }, out) {
    let entry = -1;
    /** @type {Role['work']} */
    let work = null;
    let isFromEngine = false;
    for (const index of stretch) {
      const role = this.roles[index];
      if (role.work !== null && (work === null || role.work === 'gc' || work === 'compilation')) work = role.work;
      // C code of the executable that V8 calls is V8's.
      const isLibrary = role.part === 'library' || (role.part === 'bundled' && !isFromEngine);
      if (isLibrary && work === null && (entry < 0 || this.#isWrapper(entry))) entry = index;
      if (role.part !== 'c' && role.part !== 'call') isFromEngine = role.part === 'engine';
    }
    if (entry >= 0) out.push(this.frames.entry(entry, false));
    if (!isTop || isGc) return;
    if (work !== null) out.push(this.frames.work(work));
    else if (!isHelper) this.#systemCall(stretch, out);
  }

  /** @param {number} index */
  #isWrapper(index) {
    return WRAPPERS.test(shortNativeName(this.frames.recorded[index].functionName));
  }

  /** @param {number[]} stretch @param {number[]} out */
  #systemCall(stretch, out) {
    let at = stretch.length;
    while (at > 0 && ['c', 'call'].includes(this.roles[stretch[at - 1]].part)) at--;
    if (at === stretch.length || (at > 0 && this.roles[stretch[at - 1]].part === 'engine')) return;
    if (this.roles[stretch[at]].part === 'call') out.push(this.frames.entry(stretch[at], true));
  }

  /** @param {Stack} stack @returns {number[]} frames of the view, root first */
  map(stack) {
    const { path, isGc } = stack;
    /** @type {number[]} */
    const out = [];
    let end = this.#endOfBase(path);
    const base = path.slice(0, end);
    // Recorded without native frames: there is nothing to fold.
    if (!base.some((index) => !this.#isJs(index) && this.roles[index].part !== 'mark')) end = 0;
    else {
      for (const index of base) if (this.roles[index].part === 'mark') out.push(this.frames.kept(index));
      const reason = this.#reason(base, stack);
      if (reason !== null) out.push(this.frames.reason(reason));
      if (end === path.length || base.some((index) => ['library', 'bundled'].includes(this.roles[index].part))) {
        this.#native(base, { isTop: end === path.length, isGc, isHelper: reason === '(V8 helper)' }, out);
      }
    }
    for (let at = end; at < path.length; ) {
      if (this.#isJs(path[at]) || this.roles[path[at]].part === 'mark') {
        out.push(this.frames.kept(path[at++]));
        continue;
      }
      const from = at;
      while (at < path.length && !this.#isJs(path[at]) && this.roles[path[at]].part !== 'mark') at++;
      this.#native(path.slice(from, at), { isTop: at === path.length, isGc }, out);
    }
    return out;
  }
}

/** @param {Recording} recording @param {number} stack @returns {number[]} its frames, root first */
function pathOf({ stackFrames, stackParents }, stack) {
  const path = [];
  for (let node = stack; node !== 0; node = stackParents[node]) path.push(stackFrames[node]);
  return path.reverse();
}

/** What native threads do, from those of their stacks that say it. @param {Recording} recording @param {ProgramStacks} stacks */
function learnHabits(recording, stacks) {
  const natives = new Map(recording.threads.filter(({ kind }) => kind === 'native').map((each) => [each.id, each]));
  const { sampleThreads, sampleStacks } = recording;
  for (let i = 0; i < sampleStacks.length; i++) {
    const id = sampleThreads[i];
    if (!natives.has(id) || stacks.habits.has(id)) continue;
    const reason = stacks.reasonIn(pathOf(recording, sampleStacks[i]), natives.get(id));
    if (reason !== null) stacks.habits.set(id, reason);
  }
}

/**
 * @param {Recording} recording in full view
 * @returns {Recording} in program view: the same samples on other stacks; frames may be of the kinds `reason` and `compilation`. What
 *   another profiler has recorded stays as it is: its native frames have no modules by which they could be told apart
 */
function programView(recording) {
  if (recording.importedFrom !== undefined) return recording;
  const { sampleStacks, sampleStates, sampleThreads } = recording;
  const threads = new Map(recording.threads.map((thread) => [thread.id, thread]));
  const stacks = new ProgramStacks(recording);
  learnHabits(recording, stacks);
  const tree = new StackTree();
  /** @type {Map<number, number>} */
  const known = new Map();
  const mapped = sampleStacks.map((stack, i) => {
    if (stack === 0) return 0;
    const bits = sampleStates[i] & (STATE_GC | STATE_INCOMPLETE);
    const key = (sampleThreads[i] * recording.stackParents.length + stack) * 8 + bits;
    let node = known.get(key);
    if (node === undefined) {
      const [isGc, isComplete] = [(bits & STATE_GC) !== 0, (bits & STATE_INCOMPLETE) === 0];
      const path = stacks.map({
        path: pathOf(recording, stack),
        isGc,
        isComplete,
        thread: threads.get(sampleThreads[i]),
      });
      node = path.reduce((parent, frame) => tree.child(parent, frame), 0);
      known.set(key, node);
    }
    return node;
  });
  return {
    ...recording,
    frames: stacks.frames.all,
    stackParents: Uint32Array.from(tree.parents),
    stackFrames: Uint32Array.from(tree.frames),
    sampleStacks: mapped,
  };
}

/** Names that only the program view gives. */
const REASON_NAMES = new Set(['(main script)', '(worker script)', '(timers)', '(microtasks)', '(I/O)', '(immediates)']);

/** The view that a file was written in, by what is in it. @param {Recording} recording of an import @returns {'program' | 'full'} */
function viewWritten({ frames }) {
  return frames.some(({ functionName }) => REASON_NAMES.has(functionName)) ? 'program' : 'full';
}

module.exports = { programView, viewWritten };
