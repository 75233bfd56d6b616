'use strict';

/** Changes a log of ours chunk by chunk and record by record, and makes its checksums right again (log/log_format.h). */

const { mutateBytes, INTERESTING_32 } = require('./mutators');

const CHUNK_MAGIC = 0x4b4e4843;
const CHUNK_HEADER = 40;
const HEADER_SIZE_AT = 12;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0x82f63b78 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

/** CRC-32C. @param {Buffer} bytes @param {number} [before] @returns {number} */
function crc32c(bytes, before = 0) {
  let crc = ~before >>> 0;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** @typedef {{ kind: number, slot: number, generation: number, position: bigint, payload: Buffer }} Chunk */

/** @param {Buffer} log */
function takeApart(log) {
  /** @type {Chunk[]} */
  const chunks = [];
  let at = log.readUInt32LE(HEADER_SIZE_AT);
  const head = log.subarray(0, at);
  while (at + CHUNK_HEADER <= log.length && log.readUInt32LE(at) === CHUNK_MAGIC) {
    const end = at + CHUNK_HEADER + log.readUInt32LE(at + 12);
    chunks.push({
      ...{ kind: log.readUInt32LE(at + 8), slot: log.readUInt32LE(at + 16), generation: log.readUInt32LE(at + 20) },
      ...{ position: log.readBigUInt64LE(at + 32), payload: Buffer.from(log.subarray(at + CHUNK_HEADER, end)) },
    });
    at = end;
  }
  return { head, chunks };
}

/** @param {Buffer} head @param {Chunk[]} chunks @returns {Buffer} */
function putTogether(head, chunks) {
  const parts = [head];
  chunks.forEach(({ kind, slot, generation, position, payload }, sequence) => {
    const whole = Buffer.concat([payload, Buffer.alloc(-payload.length & 7)]);
    const header = Buffer.alloc(CHUNK_HEADER);
    header.writeUInt32LE(CHUNK_MAGIC, 0);
    header.writeUInt32LE(kind, 8);
    header.writeUInt32LE(whole.length, 12);
    header.writeUInt32LE(slot, 16);
    header.writeUInt32LE(generation, 20);
    header.writeBigUInt64LE(BigInt(sequence), 24);
    header.writeBigUInt64LE(BigInt.asUintN(64, position), 32);
    header.writeUInt32LE(crc32c(whole, crc32c(header.subarray(8))), 4);
    parts.push(header, whole);
  });
  return Buffer.concat(parts);
}

/** Where the records of a payload begin. @param {Buffer} payload @returns {number[]} */
function recordsOf(payload) {
  const starts = [];
  for (let at = 0; at + 8 <= payload.length; ) {
    const size = payload.readUInt32LE(at + 4);
    if (size < 8 || size % 8 !== 0 || at + size > payload.length) break;
    starts.push(at);
    at += size;
  }
  return starts;
}

/** @param {Buffer} payload @param {import('./mutators').Random} random */
function changeField(payload, random) {
  const records = recordsOf(payload);
  if (records.length === 0) return;
  const at = random.of(records) + 4 * random.below(14);
  if (at + 4 > payload.length) return;
  payload.writeUInt32LE(random.below(3) === 0 ? random.below(2 ** 32) : random.of(INTERESTING_32), at);
}

/** @param {Chunk[]} chunks @param {import('./mutators').Random} random */
function changeChunk(chunks, random) {
  const i = random.below(chunks.length);
  const chunk = chunks[i];
  switch (random.below(12)) {
    case 0:
      chunk.payload = mutateBytes(chunk.payload, random);
      break;
    case 1:
      chunk.kind = random.below(4);
      break;
    case 2:
      chunk.slot = random.of(INTERESTING_32);
      break;
    case 3:
      chunk.generation = random.of(INTERESTING_32);
      break;
    case 4:
      chunk.position += random.of([8n, -8n, 4096n, -4096n, 2n ** 62n]);
      break;
    case 5:
      chunks.splice(i, 1);
      break;
    case 6:
      chunks.splice(i, 0, { ...chunk, payload: Buffer.from(chunk.payload) });
      break;
    case 7:
      chunks.push(...chunks.splice(i, 1));
      break;
    default:
      changeField(chunk.payload, random);
  }
}

/** @param {Buffer} seed @param {import('./mutators').Random} random @returns {Buffer} */
function mutateLog(seed, random) {
  if (random.below(8) === 0) return mutateBytes(seed, random);
  const { head, chunks } = takeApart(seed);
  for (let n = 1 + random.below(8); n > 0 && chunks.length > 0; n--) changeChunk(chunks, random);
  const log = putTogether(head, chunks);
  return random.below(8) === 0 ? mutateBytes(log, random) : log;
}

module.exports = { mutateLog };
