'use strict';

/**
 * `node scripts/v8-numbers.js [--all] <node> …`: prints the numbers that executables of Node.js export for debuggers (the symbols
 * `v8dbg_…`), side by side: those that differ, or `--all`. docs/design/v8-internals.md has what they mean.
 */

const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { tableLines } = require('../lib/base/text-table');
const { capture, requireTool } = require('./tools');

const PREFIX = 'v8dbg_';
const MISSING = '-';

/** Sections with bytes in the file, by address. @param {string} file @returns {{ address: number, offset: number, size: number }[]} */
function sectionsOf(file) {
  const { stdout } = capture('readelf', ['--section-headers', '--wide', file]);
  const pattern = /^\s*\[\s*\d+\]\s+\S+\s+PROGBITS\s+([0-9a-f]+)\s+([0-9a-f]+)\s+([0-9a-f]+)/gm;
  return [...stdout.matchAll(pattern)].map(([, ...numbers]) => {
    const [address, offset, size] = numbers.map((text) => Number.parseInt(text, 16));
    return { address, offset, size };
  });
}

/** @param {string} file @returns {Map<string, number>} by name, without the prefix */
function numbersOf(file) {
  const sections = sectionsOf(file);
  const { stdout } = capture('nm', ['--dynamic', '--defined-only', '--format=posix', file]);
  const descriptor = fs.openSync(file, 'r');
  const bytes = Buffer.alloc(4);
  /** @type {Map<string, number>} */
  const numbers = new Map();
  for (const [, name, hex] of stdout.matchAll(/^v8dbg_(\S+) \w ([0-9a-f]+)/gm)) {
    const address = Number.parseInt(hex, 16);
    const section = sections.find((each) => address >= each.address && address < each.address + each.size);
    if (section === undefined) continue; // zero-initialised: nothing of it is in the file
    fs.readSync(descriptor, bytes, 0, 4, section.offset + address - section.address);
    numbers.set(name, bytes.readInt32LE());
  }
  fs.closeSync(descriptor);
  return numbers;
}

function main() {
  const { values, positionals } = parseArgs({ options: { all: { type: 'boolean' } }, allowPositionals: true });
  if (positionals.length === 0) throw new Error('which executables? node scripts/v8-numbers.js [--all] <node> …');
  for (const tool of ['nm', 'readelf']) requireTool(tool);
  const all = positionals.map(numbersOf);
  for (const [i, numbers] of all.entries()) {
    if (numbers.size === 0) throw new Error(`${positionals[i]} exports no ${PREFIX}… symbol`);
  }
  const names = [...new Set(all.flatMap((numbers) => [...numbers.keys()]))].sort();
  const rows = names
    .map((name) => [name, ...all.map((numbers) => String(numbers.get(name) ?? MISSING))])
    .filter(([, ...cells]) => values.all || new Set(cells).size > 1 || all.length === 1);
  process.stdout.write(`${tableLines([['symbol', ...positionals], ...rows], 1).join('\n')}\n`);
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
