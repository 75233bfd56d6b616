'use strict';

/**
 * Rounds of, in turn at random, one system call of several milliseconds of CPU time or 4 ms of JavaScript, each after 20 to 30 ms of
 * sleep or without (`busy`). Signals wait for a system call to end. `short`: some 0.7 to 1.3 ms of each.
 * `system-calls.js <rounds> [busy] [short]`
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { cpuOf, Parts, report } = require('./measure');

const rounds = Number(process.argv[2]);
const isBusy = process.argv.includes('busy');
const isShort = process.argv.includes('short');
const size = 40 << 20;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof system calls '));
const file = path.join(folder, 'file');
fs.writeFileSync(file, Buffer.alloc(size, 1));
const fd = fs.openSync(file, 'r');
const buffer = Buffer.alloc(size, 2);
const parts = new Parts();

const share = () => (isShort ? 0.7 + 0.6 * Math.random() : 1);
function readFile() {
  return fs.readSync(fd, buffer, 0, Math.floor(share() * (isShort ? 16 << 20 : size)), 0);
}
function workInJs() {
  for (const until = cpuOf() + share() * (isShort ? 1e6 : 4e6); cpuOf() < until; )
    for (let i = 0; i < 20_000; i++) Math.sqrt(i);
}

let done = 0;
function round() {
  if (Math.random() < 0.5) parts.measure('readFile', readFile);
  else parts.measure('workInJs', workInJs);
  if (++done < rounds) return void (isBusy ? setImmediate(round) : setTimeout(round, 20 + Math.random() * 10));
  fs.rmSync(folder, { recursive: true });
  report({ main: process.pid, parts: parts.sums });
}
setTimeout(round, 50);
