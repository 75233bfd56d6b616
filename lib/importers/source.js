'use strict';

const { constants: bufferConstants } = require('node:buffer');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { promisify } = require('node:util');
const zlib = require('node:zlib');
const { codeOf, errors, systemReason } = require('../base/errors');
const { formatBytes, formatNs } = require('../base/units');

/**
 * What a user names to be read: a file, a folder, or something that has no end until its writer closes it (a pipe, a FIFO, a
 * socket). A name is opened once and read once, from front to back. Nothing waits without a bound: a FIFO that no program
 * writes to is given up, a device is refused, and what is read is limited.
 */

/** How long a FIFO may wait for its first byte, ms. */
const WRITER_WAIT_MS = 10_000;
/** Between two looks at a pipe that is empty for the moment, ms. */
const POLL_MS = 20;
/** Read at a time. */
const PIECE = 1 << 20;
/** One call of the system reads no more than this. */
const MOST_AT_ONCE = 1 << 30;
/** A log that comes through a pipe is copied to a file first; this much of it. */
const MOST_LOG_BYTES = 2 ** 36;

/** The first bytes of our own log, and of a file of several; the last one is their version's. */
const LOG_MAGIC = Buffer.from('SPPFLOG');
const SET_MAGIC = Buffer.from('SPPFSET');

const read = promisify(fs.read);

/** @param {Uint8Array} bytes */
function isLogSet(bytes) {
  return SET_MAGIC.equals(bytes.subarray(0, SET_MAGIC.length));
}

/** Whether it is the log of one process, or of several. @param {Uint8Array} bytes */
function isOwnLog(bytes) {
  return LOG_MAGIC.equals(bytes.subarray(0, LOG_MAGIC.length)) || isLogSet(bytes);
}

/** The descriptor that a name of the system stands for, or null: it is open already, and cannot be opened anew when it is a socket. */
function descriptorOf(/** @type {string} */ name) {
  if (name === '/dev/stdin') return 0;
  const match = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** @param {fs.Stats} stats @param {string} name @throws {Error} `ERR_SPPROF_INPUT` for what cannot be read to an end */
function refuseDevices(stats, name) {
  if (!stats.isBlockDevice() && !stats.isCharacterDevice()) return;
  throw errors.input(name, 'it is a device or a terminal; name a file, or pipe one in');
}

class Source {
  /** Read already, and not handed on. */
  #pending = Buffer.alloc(0);
  #hasBeenWritten = false;
  /** @type {string | null} */
  #temporary = null;

  /** @param {{ name: string, fd: number, stats: fs.Stats, isBorrowed: boolean }} opened */
  constructor({ name, fd, stats, isBorrowed }) {
    this.name = name;
    this.fd = fd;
    this.isBorrowed = isBorrowed;
    this.isFolder = stats.isDirectory();
    this.isFifo = stats.isFIFO();
    /** Whether the name can be opened again and gives the same. */
    this.isFile = stats.isFile() && !isBorrowed;
    this.size = stats.isFile() ? stats.size : 0;
    /** The file that holds the log, once it is known to be one of ours. @type {string | null} */
    this.log = null;
    /** Whether that is a file of several logs. */
    this.isSet = false;
  }

  /**
   * @param {string} name
   * @returns {Promise<Source>}
   * @throws (rejects) `ERR_SPPROF_INPUT`
   */
  static async open(name) {
    let fd = descriptorOf(name);
    const isBorrowed = fd !== null;
    try {
      if (fd === null) {
        refuseDevices(await fs.promises.stat(name), name);
        // A FIFO without a writer would keep the call waiting.
        fd = fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      }
      const source = new Source({ name, fd, stats: fs.fstatSync(fd), isBorrowed });
      if (isBorrowed) refuseDevices(fs.fstatSync(fd), name);
      return source;
    } catch (error) {
      if (codeOf(error).startsWith('ERR_SPPROF_')) throw error;
      throw errors.input(name, codeOf(error) === 'ENXIO' ? 'it is a socket, no file' : systemReason(error));
    }
  }

  /** The next bytes, as many as there are; none at the end. @param {number} most @returns {Promise<Buffer>} */
  async #next(most) {
    if (this.#pending.length > 0) {
      const pending = this.#pending;
      this.#pending = Buffer.alloc(0);
      return pending;
    }
    const buffer = Buffer.allocUnsafe(Math.min(most, MOST_AT_ONCE));
    const deadline = Date.now() + WRITER_WAIT_MS;
    for (;;) {
      let count = -1;
      try {
        ({ bytesRead: count } = await read(this.fd, buffer, 0, buffer.length, null));
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') throw errors.input(this.name, systemReason(error));
        this.#hasBeenWritten = true; // A program has it open; how long it takes is its own affair.
      }
      if (count > 0) this.#hasBeenWritten = true;
      if (count > 0 || (count === 0 && !this.#awaitsWriter())) return buffer.subarray(0, count);
      if (count === 0 && Date.now() > deadline) {
        const waited = formatNs(WRITER_WAIT_MS * 1e6);
        throw errors.input(this.name, `it is a FIFO, and no program has written to it for ${waited}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** A FIFO that was opened before its writer came looks as if it had ended. */
  #awaitsWriter() {
    return this.isFifo && !this.isBorrowed && !this.#hasBeenWritten;
  }

  /** The first bytes, which stay to be read. @param {number} count @returns {Promise<Buffer>} fewer where it ends before */
  async #peek(count) {
    const pieces = [];
    for (let have = 0; have < count; ) {
      const piece = await this.#next(PIECE);
      if (piece.length === 0) break;
      pieces.push(piece);
      have += piece.length;
    }
    this.#pending = Buffer.concat(pieces);
    return this.#pending.subarray(0, count);
  }

  /** Whether it is a recording of ours. A name that says so is believed, so that damage is told as a log's. */
  async holdsLog() {
    const first = await this.#peek(LOG_MAGIC.length);
    this.isSet = isLogSet(first);
    return isOwnLog(first) || (this.isFile && this.name.endsWith('.spprof'));
  }

  /** A file with the log, which the native side can read: the one named, or a copy of what came through a pipe. @returns {Promise<string>} */
  async logFile() {
    if (this.isFile) {
      this.log = this.name;
      return this.name;
    }
    const file = this.#temporaryFile();
    const out = fs.openSync(file, 'wx', 0o600);
    try {
      let size = 0;
      for (let piece = await this.#next(PIECE); piece.length > 0; piece = await this.#next(PIECE)) {
        size += piece.length;
        if (size > MOST_LOG_BYTES) throw errors.input(this.name, `it is larger than ${formatBytes(MOST_LOG_BYTES)}`);
        fs.writeFileSync(out, piece);
      }
    } finally {
      fs.closeSync(out);
    }
    this.log = file;
    return file;
  }

  /** A file with a log that was compressed. @param {Uint8Array} bytes */
  keepLog(bytes) {
    const file = this.#temporaryFile();
    fs.writeFileSync(file, bytes, { flag: 'wx', mode: 0o600 });
    this.isSet = isLogSet(bytes);
    this.log = file;
    return file;
  }

  #temporaryFile() {
    this.#temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-input-')); // 0700
    return path.join(this.#temporary, 'log');
  }

  /**
   * All of it, unpacked.
   * @param {number} limit bytes
   * @returns {Promise<Buffer>}
   * @throws (rejects) `ERR_SPPROF_INPUT`: it is longer, or not whole
   */
  async content(limit) {
    const most = Math.min(limit, bufferConstants.MAX_LENGTH);
    const bytes = await this.#all(most);
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
    try {
      return await promisify(zlib.gunzip)(bytes, { maxOutputLength: most });
    } catch (error) {
      if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw this.#tooLarge('it unpacks to more than', most);
      throw errors.input(this.name, `it is not whole: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {number} most */
  async #all(most) {
    if (this.size > most) throw this.#tooLarge('it is larger than', most);
    const pieces = [];
    let size = 0;
    for (;;) {
      // One more than is left, so that a file that has grown is noticed.
      const piece = await this.#next(Math.max(PIECE, this.size - size + 1));
      if (piece.length === 0) break;
      pieces.push(piece);
      size += piece.length;
      if (size > most) throw this.#tooLarge('it is larger than', most);
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** @param {string} problem @param {number} most */
  #tooLarge(problem, most) {
    return errors.input(this.name, `${problem} ${formatBytes(most)}; maxMemory (--max-memory) sets how much is read`);
  }

  /** Closes what was opened and removes what was copied. */
  close() {
    if (!this.isBorrowed && this.fd >= 0) fs.closeSync(this.fd);
    this.fd = -1;
    if (this.#temporary !== null) fs.rmSync(this.#temporary, { recursive: true, force: true });
    this.#temporary = null;
  }
}

module.exports = { Source, isOwnLog };
