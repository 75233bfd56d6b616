'use strict';

// Native work: compression on the main thread, key derivation on libuv's pool.

const crypto = require('node:crypto');
const zlib = require('node:zlib');

const text = Buffer.from(Array.from({ length: 300_000 }, (_, i) => `line ${i * 7919}\n`).join(''));
zlib.deflateSync(text, { level: 9 });
crypto.pbkdf2('password', 'salt', 1_000_000, 64, 'sha512', () => process.stdout.write('done\n'));
