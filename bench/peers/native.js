'use strict';

/** One function that lets zlib work. */

const zlib = require('node:zlib');
const { report } = require('./measure');

const data = Buffer.from(Array.from({ length: 100_000 }, (_, i) => `${i % 977} ${i}`).join(','));

function callsZlib() {
  return zlib.deflateSync(data, { level: 8 }).length;
}

const until = performance.now() + 2000;
let bytes = 0;
while (performance.now() < until) bytes += callsZlib();
report({ bytes });
