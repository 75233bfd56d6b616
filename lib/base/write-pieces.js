'use strict';

const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const { createGzip } = require('node:zlib');
const { errors, systemReason } = require('./errors');
const { replaceFile } = require('./replace-file');

/** Characters gathered before a write. */
const BATCH = 1 << 20;

/** Joins short pieces. @param {Iterable<string | Uint8Array>} pieces @returns {Generator<string | Uint8Array>} */
function* batches(pieces) {
  let batch = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      batch += piece;
      if (batch.length < BATCH) continue;
      yield batch;
    } else {
      if (batch !== '') yield batch;
      yield piece;
    }
    batch = '';
  }
  if (batch !== '') yield batch;
}

/**
 * Writes a text, or bytes, that come in pieces, without ever holding all of it. An existing file is replaced when the
 * new one is whole.
 * @param {string} file
 * @param {Iterable<string | Uint8Array>} pieces
 * @param {{ isCompressed?: boolean }} [settings] with gzip
 * @throws {Error} (rejects) `ERR_SPPROF_OUTPUT`
 */
async function writePieces(file, pieces, { isCompressed = false } = {}) {
  try {
    await replaceFile(file, async (writeChunk) => {
      const write = async (/** @type {AsyncIterable<string | Uint8Array>} */ source) => {
        for await (const chunk of source) await writeChunk(chunk);
      };
      const source = Readable.from(batches(pieces));
      if (isCompressed) await pipeline(source, createGzip(), write);
      else await pipeline(source, write);
    });
  } catch (error) {
    throw errors.output(file, systemReason(error));
  }
}

module.exports = { writePieces };
