/**
 * Which threads are chosen: all (`''`), one (`t7`), or those of a process (`p1234`). The only place that knows how a choice is written.
 *
 * @typedef {import('./data.mjs').PageThread} PageThread
 * @typedef {{ key: string, label: string, threads: PageThread[] }} ProcessGroup `key`: of the choice, `''` where there is one process
 */

/** @param {PageThread} thread */
export function threadLabel({ name, kind, tid }) {
  return `${name} (${kind}, ${tid})`;
}

/** A short name that no other thread has. @param {PageThread[]} threads @param {PageThread} thread */
export function threadName(threads, { name, kind, tid }) {
  const words = kind === 'main' ? `${name} · main` : name;
  const isAlone = threads.filter((each) => each.name === name && each.kind === kind).length === 1;
  return isAlone ? words : `${words} · ${tid}`;
}

/** @param {PageThread} thread */
export function threadKey({ id }) {
  return `t${id}`;
}

/** @param {PageThread[]} threads @returns {ProcessGroup[]} in the order in which they come */
export function groupByProcess(threads) {
  /** @type {Map<number | undefined, PageThread[]>} */
  const groups = new Map();
  for (const thread of threads) {
    const own = groups.get(thread.processId);
    if (own === undefined) groups.set(thread.processId, [thread]);
    else own.push(thread);
  }
  return [...groups].map(([id, own]) => ({
    key: id === undefined || groups.size === 1 ? '' : `p${id}`,
    label: own[0].processName ?? `process ${id}`,
    threads: own,
  }));
}

/** @param {PageThread[]} threads @param {string} choice @returns {boolean} whether there is such a choice */
export function isThreadChoice(threads, choice) {
  return choice === '' || threads.some((thread) => isThreadIn(thread, choice));
}

/** @param {PageThread} thread @param {string} choice */
export function isThreadIn(thread, choice) {
  return choice === '' || choice === threadKey(thread) || choice === `p${thread.processId}`;
}

/** Of each thread's id whether it is chosen. @param {PageThread[]} threads @param {string} choice */
export function threadMask(threads, choice) {
  const mask = new Uint8Array(Math.max(0, ...threads.map(({ id }) => id)) + 1);
  for (const thread of threads) if (isThreadIn(thread, choice)) mask[thread.id] = 1;
  return mask;
}
