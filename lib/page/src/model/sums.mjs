import { apportion } from '../../../base/apportion.js';
import { threadMask } from './threads.mjs';

/**
 * Sums over the samples that are chosen. No document, no drawing.
 *
 * @typedef {import('./data.mjs').PageProfile} PageProfile
 * @typedef {import('./data.mjs').PageView} PageView
 * @typedef {object} Choice
 * @property {string} thread as `threads.mjs` has it
 * @property {number} from step of time
 * @property {number} to excluded
 * @property {'cpu' | 'wall'} value
 * @property {number | null} block null: all, as in what follows
 * @property {number | null} side
 * @property {number | null} category
 * @property {number | null} owner
 */

/** The part that a thread's time is of while it has nothing to do (wall mode). */
const WAITING = 'waiting';

/** @param {PageProfile} profile @param {Choice} choice */
export function valuesOf(profile, { value }) {
  return value === 'wall' ? profile.wallNs : profile.cpuNs;
}

/**
 * Of each sample whether it is chosen.
 * @param {PageProfile} profile
 * @param {Choice} choice
 */
export function chooseSamples(profile, { thread, from, to, block, side, category, owner }) {
  const { sampleThreads, sampleBuckets, sampleBlocks, sampleOwners, sampleSides, owners } = profile;
  const isThread = threadMask(profile.threads, thread);
  const isOwner = Uint8Array.from(owners, (each, number) =>
    Number((category === null || each.category === category) && (owner === null || number === owner)),
  );
  const chosen = new Uint8Array(sampleThreads.length);
  for (let i = 0; i < chosen.length; i++) {
    const bucket = sampleBuckets[i];
    if (bucket < from || bucket >= to || isOwner[sampleOwners[i]] === 0) continue;
    if (thread !== '' && isThread[sampleThreads[i]] !== 1) continue;
    if (block !== null && sampleBlocks[i] !== block) continue;
    if (side !== null && sampleSides[i] !== side) continue;
    chosen[i] = 1;
  }
  return chosen;
}

/**
 * Self and total time of each node of the stack tree, and self time of each of the finer tree.
 * @param {PageProfile} profile
 * @param {PageView} view
 * @param {Choice} choice
 */
export function sumNodes(profile, { parents, fineNodes, stacks }, choice) {
  const values = valuesOf(profile, choice);
  const chosen = chooseSamples(profile, choice);
  const fineSelf = new Float64Array(fineNodes.length);
  for (let i = 0; i < chosen.length; i++) if (chosen[i] === 1) fineSelf[stacks[i]] += values[i];
  const self = new Float64Array(parents.length);
  for (let fine = 0; fine < fineSelf.length; fine++) self[fineNodes[fine]] += fineSelf[fine];
  const total = self.slice();
  // A parent's number is lower than its children's.
  for (let node = total.length - 1; node > 0; node--) total[parents[node]] += total[node];
  return { self, total, fineSelf };
}

/** Time by owner, of what is chosen except for category and owner. @param {PageProfile} profile @param {Choice} choice */
export function sumOwners(profile, choice) {
  const values = valuesOf(profile, choice);
  const chosen = chooseSamples(profile, { ...choice, category: null, owner: null });
  const sums = new Float64Array(profile.owners.length);
  for (let i = 0; i < chosen.length; i++) if (chosen[i] === 1) sums[profile.sampleOwners[i]] += values[i];
  return sums;
}

/** A sample stands for the time that ends with it, which may be longer than a step. @param {Float64Array} steps @param {number} at @param {number} ns @param {number} widest */
function spread(steps, at, ns, widest) {
  let rest = ns;
  for (let step = at; step > 0 && rest > widest; step--) {
    steps[step] += widest;
    rest -= widest;
    at = step - 1;
  }
  steps[at] += rest;
}

/**
 * Time by thread, step of time and category, of the whole recording, whatever is chosen except the block and the kind of value. Threads
 * that have nothing to do are empty.
 * @param {PageProfile} profile
 * @param {Choice} choice
 * @returns {Map<number, Float64Array[]>} by thread; of each category its steps
 */
export function sumTracks(profile, choice) {
  const { sampleThreads, sampleBuckets, sampleOwners, owners, categories, bucketCount } = profile;
  const values = valuesOf(profile, choice);
  // What is no time is where it was sampled.
  const widest = profile.unit === 'nanoseconds' ? profile.bucketMs * 1e6 : Infinity;
  const everything = { ...choice, thread: '', from: 0, to: bucketCount, category: null, owner: null };
  const chosen = chooseSamples(profile, everything);
  /** @type {Map<number, Float64Array[]>} */
  const tracks = new Map();
  for (let i = 0; i < chosen.length; i++) {
    if (chosen[i] === 0 || owners[sampleOwners[i]].part === WAITING) continue;
    let track = tracks.get(sampleThreads[i]);
    if (track === undefined) {
      track = categories.map(() => new Float64Array(bucketCount));
      tracks.set(sampleThreads[i], track);
    }
    spread(track[owners[sampleOwners[i]].category], sampleBuckets[i], values[i], widest);
  }
  return tracks;
}

/** Percentages in tenths that add up to 100, as the report has them. @param {ArrayLike<number>} values @returns {number[]} */
export function sharesOf(values) {
  return apportion(Array.from(values), 1000).map((share) => share / 10);
}
