'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { codeOf } = require('./errors');

/**
 * Puts a file in place whole: its content is written beside it, synced, and renamed, so that no reader, and no crash, ever
 * meets half of it. What is not a regular file (a pipe, a terminal, `/dev/stdout`) is written as it is.
 */

/** The file that a name stands for, through symbolic links, and its mode. @param {string} file */
async function targetOf(file) {
  try {
    const target = await fs.promises.realpath(file);
    const stat = await fs.promises.stat(target);
    return { target, mode: stat.mode & 0o777, isRegular: stat.isFile() };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return { target: path.resolve(file), mode: null, isRegular: true };
  }
}

/** So that the new name survives the machine. @param {string} folder */
async function syncFolder(folder) {
  const handle = await fs.promises.open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error; // a file system that has no such thing
  } finally {
    await handle.close();
  }
}

/**
 * @param {string} file
 * @param {(handle: fs.promises.FileHandle) => Promise<void>} write
 * @throws (rejects) what the file system says; the former file is then as it was
 */
async function replaceFile(file, write) {
  const { target, mode, isRegular } = await targetOf(file);
  const name = isRegular ? `${target}.${process.pid}.tmp` : target;
  const handle = await fs.promises.open(name, 'w');
  try {
    try {
      await write(handle);
      if (mode !== null && isRegular) await handle.chmod(mode);
      if (isRegular) await handle.sync();
    } finally {
      await handle.close();
    }
    if (!isRegular) return;
    await fs.promises.rename(name, target);
  } catch (error) {
    if (isRegular) await fs.promises.rm(name, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(target));
}

module.exports = { replaceFile };
