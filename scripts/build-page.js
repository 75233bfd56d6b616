'use strict';

/**
 * Bundles the script of the flame graph page with the library that draws it, into one file: `lib/page/dist/page.js`. Run by
 * npm when it has installed this project's packages, and before it packs.
 */

const path = require('node:path');
const { ROOT } = require('./tools');

const ENTRY = path.join(ROOT, 'lib', 'page', 'src', 'main.mjs');
const OUTPUT = path.join(ROOT, 'lib', 'page', 'dist', 'page.js');

function buildPage() {
  const { buildSync } = require('esbuild-wasm');
  buildSync({
    ...{ entryPoints: [ENTRY], outfile: OUTPUT, bundle: true, minify: true, format: 'iife', target: 'es2022' },
    // The library tells its own nodes by their class's name; its style is in style.css.
    ...{ keepNames: true, loader: { '.css': 'empty' }, legalComments: 'eof', charset: 'utf8' },
  });
}

module.exports = { buildPage, PAGE_SCRIPT: OUTPUT };

if (require.main === module) buildPage();
