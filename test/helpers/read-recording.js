'use strict';

const { loadBinding } = require('../../lib/native/binding');
const { unpackRecording } = require('../../lib/native/unpack');

/**
 * A log's columns as they are, before source maps and exporters.
 * @param {string} log
 * @returns {Promise<import('../../binding').NativeRecording>}
 */
async function readRecording(log) {
  return unpackRecording(await loadBinding().readRecording(log));
}

module.exports = { readRecording };
