'use strict';

const fs = require('node:fs');

/**
 * Copies of this Node whose dynamic symbols are not what they were: builds that spprof does not know, or that lack what
 * it reads.
 */

const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;

/**
 * @param {Buffer} file an ELF file of 64 bits
 * @returns {{ sections: any[], symbols: { name: string, nameAt: number, value: number, size: number }[] }}
 */
function readDynamicSymbols(file) {
  const number = (/** @type {number} */ at) => Number(file.readBigUInt64LE(at));
  const headers = number(40);
  const sections = Array.from({ length: file.readUInt16LE(60) }, (_, i) => {
    const at = headers + i * SECTION_HEADER_BYTES;
    const [address, offset, size] = [16, 24, 32].map((field) => number(at + field));
    return { type: file.readUInt32LE(at + 4), address, offset, size, link: file.readUInt32LE(at + 40) };
  });
  const SHT_DYNSYM = 11;
  const table = sections.find(({ type }) => type === SHT_DYNSYM);
  if (table === undefined) throw new Error('no dynamic symbols');
  const names = sections[table.link].offset;
  const symbols = Array.from({ length: table.size / SYMBOL_BYTES }, (_, i) => {
    const at = table.offset + i * SYMBOL_BYTES;
    const nameAt = names + file.readUInt32LE(at);
    const name = file.toString('latin1', nameAt, file.indexOf(0, nameAt));
    return { name, nameAt, value: number(at + 8), size: number(at + 16) };
  });
  return { sections, symbols };
}

/**
 * @param {string} target where the copy goes
 * @param {{ hide?: RegExp, set?: Record<string, number> }} changes `hide`: names that nobody finds any more; `set`: values
 *   of variables of four bytes
 */
function copyAlteredNode(target, { hide, set = {} }) {
  const file = fs.readFileSync(process.execPath);
  const { sections, symbols } = readDynamicSymbols(file);
  const hidden = symbols.filter(({ name }) => hide?.test(name));
  if (hide !== undefined && hidden.length === 0) throw new Error(`no symbol matches ${hide}`);
  // The name's first letter: no other symbol shares the end of a string with all of it.
  for (const { nameAt } of hidden) file.write('~', nameAt, 'latin1');
  for (const [name, value] of Object.entries(set)) {
    const symbol = symbols.find((each) => each.name === name);
    const SHT_NOBITS = 8;
    const section = sections.find(
      ({ type, address, size }) =>
        type !== SHT_NOBITS && symbol !== undefined && symbol.value >= address && symbol.value < address + size,
    );
    if (symbol === undefined || section === undefined) throw new Error(`no variable ${name}`);
    file.writeInt32LE(value, section.offset + symbol.value - section.address);
  }
  fs.writeFileSync(target, file, { mode: 0o755 });
}

module.exports = { copyAlteredNode };
