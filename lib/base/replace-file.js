'use strict';

const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { codeOf } = require('./errors');

/**
 * Puts a file in place whole: its content is written beside it, synced where that is possible, and renamed, so that no reader
 * meets half of it. The file beside it has a random name and is created, never opened, so that no link of another user is
 * followed. What is not a regular file (a pipe, a terminal) is written as it is.
 */

/** A descriptor of this process: it is written through itself, because a second opening would begin at the file's start. */
const OWN_DESCRIPTOR = /^\/(?:dev\/(?:fd\/(\d+)|(stdin|stdout|stderr))|proc\/(?:self|thread-self)\/fd\/(\d+))$/;
const STANDARD = ['stdin', 'stdout', 'stderr'];
/** How long a full pipe is waited for before the next attempt. */
const RETRY_MS = 5;

/** @param {string} file @returns {number | null} */
function ownDescriptor(file) {
  const match = OWN_DESCRIPTOR.exec(path.resolve(file));
  if (match === null) return null;
  return match[2] === undefined ? Number(match[1] ?? match[3]) : STANDARD.indexOf(match[2]);
}

/** Whether a name is a link that neither this user nor root has made. @param {string} file */
async function isForeignLink(file) {
  const stat = await fs.promises.lstat(file).catch((error) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });
  return stat?.isSymbolicLink() === true && stat.uid !== 0 && stat.uid !== process.geteuid?.();
}

/**
 * Whether a file, or a FIFO, belongs to a user who would read what is not meant for that user: neither this user, nor root, nor the owner
 * of its folder, who could have it anyway.
 * @param {string} file
 * @param {fs.Stats} stat of it
 */
async function isForeign(file, stat) {
  if ((!stat.isFile() && !stat.isFIFO()) || stat.uid === 0 || stat.uid === process.geteuid?.()) return false;
  return stat.uid !== (await fs.promises.stat(path.dirname(file))).uid;
}

/**
 * The file that a name stands for. Another user's link is replaced, and never followed; so is another user's file in a folder that is
 * shared.
 * @param {string} file
 */
async function targetOf(file) {
  const name = path.resolve(file);
  if (await isForeignLink(name)) return { target: name, stat: null };
  try {
    const stat = await fs.promises.stat(name);
    const target = stat.isFile() ? await fs.promises.realpath(name) : name;
    return { target, stat: (await isForeign(target, stat)) ? null : stat };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return { target: name, stat: null };
  }
}

/**
 * Syncing is wanted, not required: Yarn's fs has no `FileHandle.sync`, and some file systems have none. Data that the device did
 * not take is an error.
 * @param {fs.promises.FileHandle} handle
 */
async function sync(handle) {
  try {
    await handle.sync();
  } catch (error) {
    if (['EIO', 'ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw error;
  }
}

/** So that the new name survives the machine. @param {string} folder */
async function syncFolder(folder) {
  let handle;
  try {
    handle = await fs.promises.open(folder, 'r');
  } catch (error) {
    if (codeOf(error) === 'EACCES') return; // It may be written to and not be read: the file is in place all the same.
    throw error;
  }
  try {
    await sync(handle);
  } finally {
    await handle.close();
  }
}

/**
 * Renames a file that is whole, so that neither its content nor its new name is lost with the machine.
 * @param {string} from
 * @param {string} target in the same file system, else the rejection has the code `EXDEV`
 */
async function renameSynced(from, target) {
  const handle = await fs.promises.open(from, 'r');
  try {
    await sync(handle);
  } finally {
    await handle.close();
  }
  await fs.promises.rename(from, target);
  await syncFolder(path.dirname(target));
}

/**
 * Gives an open file the rights and, where that is permitted, the owner of the one it replaces. By descriptor: its name may be
 * another file's by now.
 * @param {number} fd
 * @param {fs.Stats} stat
 */
function keepRights(fd, stat) {
  try {
    fs.fchownSync(fd, stat.uid, stat.gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error; // Only root gives files away.
  }
  fs.fchmodSync(fd, stat.mode & 0o777);
}

/** @param {number} fd @param {Uint8Array} bytes @returns {Promise<number>} bytes written; 0: a pipe that is full */
function writeSome(fd, bytes) {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, 0, bytes.length, null, (error, count) => {
      if (error !== null && codeOf(error) !== 'EAGAIN') reject(error);
      else resolve(error === null ? count : 0);
    });
  });
}

/** @param {number} fd @returns {(chunk: string | Uint8Array) => Promise<void>} */
function writerOf(fd) {
  return async (chunk) => {
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    while (rest.length > 0) {
      const count = await writeSome(fd, rest);
      rest = rest.subarray(count);
      if (count === 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
}

/** @typedef {(write: (chunk: string | Uint8Array) => Promise<void>) => Promise<void>} Fill */

/**
 * @param {string} target
 * @param {string | number} flags
 * @param {Fill} fill
 * @param {{ isSynced: boolean, replaced?: fs.Stats | null }} settings
 */
async function fillFile(target, flags, fill, { isSynced, replaced = null }) {
  const handle = await fs.promises.open(target, flags, 0o600);
  try {
    await fill(writerOf(handle.fd));
    if (replaced !== null) keepRights(handle.fd, replaced);
    if (isSynced) await sync(handle);
  } finally {
    await handle.close();
  }
}

/** Where a mount point, or a folder's sticky bit, forbids the renaming. @param {string} from @param {string} target */
async function copyInPlace(from, target) {
  const bytes = fs.createReadStream(from);
  const { O_WRONLY, O_TRUNC, O_NOFOLLOW } = fs.constants;
  await fillFile(
    target,
    O_WRONLY | O_TRUNC | O_NOFOLLOW,
    async (write) => {
      for await (const chunk of bytes) await write(chunk);
    },
    { isSynced: true },
  );
}

/**
 * Where only the file itself may be written to, not its folder.
 * @param {string} target
 * @param {Fill} fill
 */
async function replaceContent(target, fill) {
  const folder = await fs.promises.mkdtemp(path.join(os.tmpdir(), 'spprof-output-')); // 0700
  try {
    const whole = path.join(folder, 'whole');
    await fillFile(whole, 'wx', fill, { isSynced: false });
    await copyInPlace(whole, target);
  } finally {
    await fs.promises.rm(folder, { recursive: true, force: true });
  }
}

/** Whether files can be made in a folder. @param {string} folder */
function takesFiles(folder) {
  return fs.promises.access(folder, fs.constants.W_OK | fs.constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * @param {string} file
 * @param {Fill} fill
 * @throws (rejects) what the file system says; the former file is then as it was, unless it could only be written in place
 */
async function replaceFile(file, fill) {
  const descriptor = ownDescriptor(file);
  if (descriptor !== null) return fill(writerOf(descriptor));
  const { target, stat } = await targetOf(file);
  if (stat !== null && !stat.isFile()) return fillFile(target, 'w', fill, { isSynced: false });
  if (stat !== null && !(await takesFiles(path.dirname(target)))) return replaceContent(target, fill);
  const partial = path.join(path.dirname(target), `.spprof-${randomBytes(8).toString('hex')}.tmp`);
  try {
    await fillFile(partial, 'wx', fill, { isSynced: true, replaced: stat });
    try {
      await fs.promises.rename(partial, target);
    } catch (error) {
      if (stat === null || !['EBUSY', 'EXDEV', 'EPERM'].includes(codeOf(error))) throw error;
      await copyInPlace(partial, target);
    }
  } finally {
    await fs.promises.rm(partial, { force: true });
  }
  await syncFolder(path.dirname(target));
}

module.exports = { ownDescriptor, replaceFile, renameSynced, takesFiles };
