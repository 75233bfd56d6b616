'use strict';

/** Processes made in every way there is, from the main thread and a pool thread's callback, with signals in the air. */

const { execFile, execFileSync, execSync, fork, spawn, spawnSync } = require('node:child_process');
const { join, main } = require('./harness');

/** @param {string} text */
const textSum = (text) => [...text].reduce((sum, each) => join(sum, each.charCodeAt(0)), 0);

/** @param {number} seed */
async function round(seed) {
  let sum = join(seed, textSum(execSync('echo one; exit 0', { encoding: 'utf8' })));
  for (let i = 0; i < 10; i++)
    sum = join(sum, textSum(execFileSync('/bin/echo', [`${seed} ${i}`], { encoding: 'utf8' })));
  sum = join(sum, spawnSync('/bin/sh', ['-c', 'exit 5']).status ?? -1);
  sum = join(sum, spawnSync('/bin/sh', ['-c', 'kill -9 $$']).signal === 'SIGKILL' ? 9 : 0);
  const texts = await Promise.all([1, 2, 3].map((each) => spawned(`${each}`)));
  sum = texts.reduce((all, each) => join(all, textSum(each)), sum);
  sum = join(sum, await forked(seed));
  const viaCallback = await new Promise((resolve, reject) => {
    execFile('/bin/echo', ['callback'], (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
  return join(sum, textSum(/** @type {string} */ (viaCallback)));
}

/** @param {string} word @returns {Promise<string>} */
function spawned(word) {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `cat; exit ${word}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (data) => {
      text += data;
    });
    child.once('error', reject).once('close', (code, signal) => resolve(`${text} ${code} ${signal}`));
    child.stdin.end(word.repeat(70_000));
  });
}

/** @param {number} seed @returns {Promise<number>} */
function forked(seed) {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, ['child', String(seed)]);
    let sum = 0;
    child.once('message', (/** @type {any} */ message) => {
      sum = join(message.sum, message.pid ? 1 : 0);
    });
    child.once('error', reject).once('exit', (code) => resolve(join(sum, code ?? -1)));
  });
}

if (process.argv[2] === 'child') {
  process.send?.({ pid: process.pid > 0, sum: Number(process.argv[3]) * 2 });
  process.disconnect?.();
} else {
  main(module, { exitStatus: 48, round });
}
