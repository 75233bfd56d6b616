#!/usr/bin/env node
'use strict';
// What a million streamed samples cost the JavaScript thread. Records work on several threads at a high rate, then attaches a listener:
// it gets the recording from its beginning, as fast as the JavaScript thread takes it. Target: 1 million samples
// a second cost the JavaScript thread <= 5 %, which is 50 ms a million.
//
//   node bench/stream.js [--seconds n] [--rounds n]

const crypto = require('node:crypto');
const fs = require('node:fs');
const { performance } = require('node:perf_hooks');
const { parseArgs } = require('node:util');
const spprof = require('../lib/index.js');

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '10' }, rounds: { type: 'string', default: '3' } },
});

function hash() {
  return new Promise((resolve, reject) =>
    crypto.pbkdf2('a', 'b', 100_000, 64, 'sha512', (error) => (error ? reject(error) : resolve())),
  );
}

/** CPU time of the main thread. (The event loop's own utilisation counts the wait for a batch as work.) */
function threadCpuMs() {
  return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

async function round() {
  // Its duration over, nothing is sampled while the stream is measured.
  const session = spprof.start({ intervalUs: 20, durationS: Number(values.seconds) }).ref();
  const end = performance.now() + Number(values.seconds) * 1000;
  const work = async () => {
    while (performance.now() < end) await hash();
  };
  await Promise.all([new Promise((resolve) => session.once('end', resolve)), work(), work(), work(), work()]);
  let samples = 0;
  let batches = 0;
  session.on('samples', (batch) => {
    samples += batch.times.length;
    batches++;
  });
  const before = threadCpuMs();
  const { drained } = session.stats();
  while (samples < drained) await new Promise((resolve) => session.once('samples', resolve));
  const usedMs = threadCpuMs() - before;
  await session.stop();
  return { samples, batches, msPerMillion: (usedMs / samples) * 1e6 };
}

async function main() {
  const costs = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    const { samples, batches, msPerMillion } = await round();
    costs.push(msPerMillion);
    process.stdout.write(
      `${samples} samples in ${batches} batches: ${msPerMillion.toFixed(1)} ms of the JavaScript thread a million\n`,
    );
  }
  costs.sort((a, b) => a - b);
  const median = costs[costs.length >> 1];
  process.stdout.write(
    `median ${median.toFixed(1)} ms a million, ${(median / 10).toFixed(2)} % at 1 M/s (target <= 5 %)\n`,
  );
}

main();
