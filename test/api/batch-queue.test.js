'use strict';

const { BatchQueue, QUEUE_LENGTH } = require('../../lib/session/sample-feed');

test('a slow consumer loses samples, which are counted, and no definition', async () => {
  const queue = new BatchQueue(() => {});
  const batchOf = (/** @type {number} */ id) => ({
    ...{ times: new Float64Array(3), cpuTimes: new Float64Array(3), wallTimes: new Float64Array(3) },
    ...{ stackIds: new Uint32Array(3).fill(id), threadIds: new Uint32Array(3), states: new Uint8Array(3) },
    ...{
      stacks: [{ id, frames: [] }],
      threads: [],
      endedThreads: [],
      blocks: [],
      blockIds: new Uint32Array(3),
      dropped: 0,
    },
  });
  for (let i = 0; i < QUEUE_LENGTH + 10; i++) queue.push(batchOf(i));
  for (let i = 0; i < QUEUE_LENGTH; i++) expect((await queue.next()).value).toMatchObject({ dropped: 0 });
  queue.push(batchOf(1000));
  const { value } = await queue.next();
  expect(value.dropped).toBe(30);
  expect(value.stacks.map(({ id }) => id)).toEqual([...Array.from({ length: 10 }, (_, i) => QUEUE_LENGTH + i), 1000]);
});

test('a consumer that reads nothing is kept no threads that have come and gone meanwhile', async () => {
  const queue = new BatchQueue(() => {});
  const none = { times: new Float64Array(0), stacks: [], threads: [], endedThreads: [], blocks: [], dropped: 0 };
  const push = (/** @type {object} */ news) => queue.push(/** @type {any} */ ({ ...none, ...news }));
  const thread = (/** @type {number} */ id) => ({ id, tid: id, name: 'x', kind: 'worker' });
  push({ threads: [thread(1), thread(2)] });
  for (let i = 1; i < QUEUE_LENGTH; i++) push({});
  push({ threads: [thread(3), thread(4)], endedThreads: [1] });
  push({ threads: [thread(5)], endedThreads: [3, 5] });
  for (let i = 0; i < QUEUE_LENGTH; i++) await queue.next();
  push({ endedThreads: [2] });
  const { value } = await queue.next();
  expect(value.threads.map((/** @type {any} */ { id }) => id)).toEqual([4]);
  expect(value.endedThreads).toEqual([1, 2]);
});
