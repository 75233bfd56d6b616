'use strict';

// A program whose child, a Node process too, does the work.

const { execFileSync } = require('node:child_process');
const path = require('node:path');

execFileSync(process.execPath, [path.join(__dirname, 'busy.js'), '300'], { stdio: 'inherit' });
