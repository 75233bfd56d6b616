'use strict';

const { errors, systemReason } = require('./errors');
const { replaceFile } = require('./replace-file');

/** Characters gathered before a write. */
const BATCH = 1 << 20;

/**
 * Writes a text that comes in pieces, without ever holding all of it. An existing file is replaced when the
 * new one is whole.
 * @param {string} file
 * @param {Iterable<string>} pieces
 * @throws {Error} (rejects) `ERR_SPPROF_OUTPUT`
 */
async function writePieces(file, pieces) {
  try {
    await replaceFile(file, async (handle) => {
      let batch = '';
      for (const piece of pieces) {
        batch += piece;
        if (batch.length < BATCH) continue;
        await handle.writeFile(batch);
        batch = '';
      }
      await handle.writeFile(batch);
    });
  } catch (error) {
    throw errors.output(file, systemReason(error));
  }
}

module.exports = { writePieces };
