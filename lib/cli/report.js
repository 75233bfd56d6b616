'use strict';

const { openRecording } = require('./input');

/** Functions in the table. */
const FUNCTIONS = 30;

/**
 * `spprof report <file>`.
 * @param {import('./arguments').ReportRequest} request
 * @param {import('./run').Io} io
 */
async function report({ file, reading }, io) {
  const { profile } = await openRecording(file, { reading, io });
  io.stdout.write(profile.toText({ limit: FUNCTIONS, folder: io.cwd() }));
  return 0;
}

module.exports = { report };
