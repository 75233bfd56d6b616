#!/usr/bin/env node
'use strict';

const { codeOf, systemReason } = require('../base/errors');
const { run } = require('./run');

let hasLostOutput = false;

// Whoever read what we write may go before we end (`spprof … 2>&1 | head`). The exit status is the program's all the same.
process.stdout.on('error', (error) => {
  if (codeOf(error) === 'EPIPE') return;
  hasLostOutput = true;
  process.stderr.write(`spprof: standard output: ${systemReason(error)}\n`);
});
process.stderr.on('error', (error) => {
  if (codeOf(error) !== 'EPIPE') hasLostOutput = true; // a full disk, say: the status is all that can tell it
});

// Not process.exit(): what is still being written to a pipe would be lost.
run(process.argv.slice(2), process).then((status) => {
  process.exitCode = status;
  process.once('exit', () => {
    if (hasLostOutput && status === 0) process.exitCode = 1;
  });
});
