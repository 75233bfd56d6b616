'use strict';

const fs = require('node:fs');

/**
 * Opens files whose names a program chose (a script's name, a sourceURL, a source map): nothing but regular files of a bounded
 * size, so that no FIFO, device or endless file of /proc can hold the reader up.
 */

/** The native side has the same limit; V8 has no string longer than 2^29 characters. */
const MAX_BYTES = 256 << 20;

/** `stat` comes first: even opening a FIFO or a device has effects. O_NONBLOCK is for a name that changes in between. */
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY;

/** A file of /proc has the size 0, and is no script either. @param {fs.Stats} stat @throws {Error} */
function checkStat(stat) {
  if (!stat.isFile()) throw new Error('it is not a regular file');
  if (stat.size === 0) throw new Error('it is empty');
  if (stat.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES >> 20} MB`);
}

/**
 * @param {string} file
 * @returns {string} its text, from UTF-8
 * @throws {Error} what the file system says, or that it is no regular file of 1 byte to 256 MB
 */
function readScriptFile(file) {
  checkStat(fs.statSync(file));
  const fd = fs.openSync(file, FLAGS);
  try {
    const stat = fs.fstatSync(fd);
    checkStat(stat);
    const bytes = Buffer.allocUnsafe(stat.size);
    let length = 0;
    for (let more = -1; more !== 0 && length < bytes.length; length += more)
      more = fs.readSync(fd, bytes, length, bytes.length - length, length);
    return bytes.toString('utf8', 0, length);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * @param {string} file
 * @returns {Promise<{ handle: fs.promises.FileHandle, size: number }>} `size` in bytes
 * @throws (rejects) as `readScriptFile`
 */
async function openScriptFile(file) {
  checkStat(await fs.promises.stat(file));
  const handle = await fs.promises.open(file, FLAGS);
  try {
    const stat = await handle.stat();
    checkStat(stat);
    return { handle, size: stat.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

module.exports = { openScriptFile, readScriptFile };
