'use strict';

const fs = require('node:fs');
const { codeOf, errors, systemReason } = require('../base/errors');
const { replaceFile } = require('../base/replace-file');

/**
 * The log of a command that ran several processes: their logs, one after the other, behind a list of them.
 *
 *     8 bytes   SPPFSET1
 *     4 bytes   length of the list, little-endian: bytes of JSON, padded with blanks so that the first log begins at a multiple of 8
 *     4 bytes   0
 *     the list  {"logs":[{"program":"app","offset":…,"length":…},…]}, offsets in the file
 *     the logs  as native/log/log_format.h has them; their lengths are multiples of 8
 *
 * Where the list is damaged, the logs are found by their first bytes, without the names of their programs.
 *
 * @typedef {{ program: string | undefined, offset: number, length: number }} LogPlace
 */

const MAGIC = Buffer.from('SPPFSET1');
/** The first bytes of a log, up to its version. */
const LOG_MAGIC = Buffer.from('SPPFLOG1');
const HEAD_BYTES = MAGIC.length + 8;
const ALIGNMENT = 8;
/** A list of more is none: a million processes have less. */
const MOST_LIST_BYTES = 2 ** 27;
/** Read at a time in the search for logs. */
const PIECE = 1 << 20;

/** @param {number} length */
function aligned(length) {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

/**
 * The list, with offsets that count its own length.
 * @param {{ program: string, length: number }[]} logs
 */
function listOf(logs) {
  for (let room = 0; ; ) {
    let offset = HEAD_BYTES + room;
    const places = logs.map(({ program, length }) => {
      const place = { program, offset, length };
      offset += aligned(length);
      return place;
    });
    const text = JSON.stringify({ logs: places });
    const needed = aligned(Buffer.byteLength(text));
    if (needed <= room) return Buffer.concat([Buffer.from(text), Buffer.alloc(room - Buffer.byteLength(text), ' ')]);
    room = needed;
  }
}

/**
 * Writes one file of several logs.
 * @param {string} file
 * @param {{ program: string, log: string }[]} logs
 * @throws (rejects) what the file system says
 */
async function writeLogSet(file, logs) {
  const sized = logs
    .map((each) => ({ ...each, length: fs.statSync(each.log).size }))
    .filter(({ length }) => length > 0);
  const list = listOf(sized);
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head.writeUInt32LE(list.length, MAGIC.length);
  await replaceFile(file, async (write) => {
    await write(Buffer.concat([head, list]));
    for (const { log, length } of sized) {
      for await (const chunk of fs.createReadStream(log, { end: length - 1 })) await write(chunk);
      await write(Buffer.alloc(aligned(length) - length));
    }
  });
}

/** @param {number} fd @param {number} length @param {number} position @returns {Buffer} shorter at the end of the file */
function readAt(fd, length, position) {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, fs.readSync(fd, buffer, 0, length, position));
}

/** @param {number} fd @param {number} size of the file @returns {LogPlace[] | null} null: the list is damaged */
function placesListed(fd, size) {
  const head = readAt(fd, HEAD_BYTES, 0);
  const length = head.length === HEAD_BYTES ? head.readUInt32LE(MAGIC.length) : 0;
  if (length === 0 || length > Math.min(size, MOST_LIST_BYTES)) return null;
  try {
    const { logs } = JSON.parse(readAt(fd, length, HEAD_BYTES).toString());
    /** @param {LogPlace} place */
    const isLog = ({ program, offset, length: own }) =>
      typeof program === 'string' &&
      Number.isSafeInteger(offset) &&
      Number.isSafeInteger(own) &&
      own > 0 &&
      LOG_MAGIC.equals(readAt(fd, LOG_MAGIC.length, offset));
    return logs.every(isLog) ? logs : null;
  } catch (error) {
    if (codeOf(error) === 'EIO') throw error;
    return null; // No JSON, or not of this shape.
  }
}

/** Logs by their first bytes. @param {number} fd @param {number} size @returns {LogPlace[]} */
function placesFound(fd, size) {
  /** @type {number[]} */
  const starts = [];
  for (let position = 0; position < size; position += PIECE) {
    const piece = readAt(fd, PIECE + LOG_MAGIC.length, position);
    for (let at = piece.indexOf(LOG_MAGIC); at >= 0 && at < PIECE; at = piece.indexOf(LOG_MAGIC, at + 1))
      if ((position + at) % ALIGNMENT === 0) starts.push(position + at);
  }
  return starts.map((offset, i) => ({ program: undefined, offset, length: (starts[i + 1] ?? size) - offset }));
}

/**
 * Where the logs of a set lie.
 * @param {string} file
 * @returns {LogPlace[]} one or more
 * @throws {Error} `ERR_SPPROF_BAD_RECORDING`: there is no log in it; `ERR_SPPROF_INPUT`: it cannot be read
 */
function logsInSet(file) {
  let fd = -1;
  try {
    fd = fs.openSync(file, 'r');
    const { size } = fs.fstatSync(fd);
    const places = placesListed(fd, size) ?? placesFound(fd, size);
    if (places.length === 0) throw errors.badRecording(file, 'no log begins in it');
    return places;
  } catch (error) {
    if (codeOf(error).startsWith('ERR_SPPROF_')) throw error;
    throw errors.input(file, systemReason(error));
  } finally {
    if (fd >= 0) fs.closeSync(fd);
  }
}

module.exports = { logsInSet, writeLogSet };
