'use strict';

const { loadBinding } = require('../../lib/native/binding');
const { unpackRecording } = require('../../lib/native/unpack');
const { expectBalance } = require('./balance');

/**
 * A log's columns as they are, before source maps and exporters; its counters balance.
 * @param {string} log
 * @returns {Promise<import('../../binding').NativeRecording>}
 */
async function readRecording(log) {
  const recording = unpackRecording(await loadBinding().readRecording(log));
  expectBalance(recording.stats);
  return recording;
}

module.exports = { readRecording };
