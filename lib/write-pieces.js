'use strict';

const fs = require('node:fs');
const { errors, systemReason } = require('./errors');

/** Characters gathered before a write. */
const BATCH = 1 << 20;

/**
 * Writes a text that comes in pieces, without ever holding all of it. An existing file is replaced.
 * @param {string} file
 * @param {Iterable<string>} pieces
 * @throws {Error} (rejects) `ERR_SPPROF_OUTPUT`
 */
async function writePieces(file, pieces) {
  try {
    const handle = await fs.promises.open(file, 'w');
    try {
      let batch = '';
      for (const piece of pieces) {
        batch += piece;
        if (batch.length < BATCH) continue;
        await handle.writeFile(batch);
        batch = '';
      }
      await handle.writeFile(batch);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw errors.output(file, systemReason(error));
  }
}

module.exports = { writePieces };
