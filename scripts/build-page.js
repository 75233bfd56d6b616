'use strict';

/**
 * Bundles the modules of the page's script, and the libraries that they use, into one file: `lib/page/dist/page.js`. Run by
 * npm when it has installed this project's packages, and before it packs.
 */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('./tools');

const ENTRY = path.join(ROOT, 'lib', 'page', 'src', 'main.mjs');
const OUTPUT = path.join(ROOT, 'lib', 'page', 'dist', 'page.js');

/** The folder of a bundled file's package, or null for our own. @param {string} file */
function packageFolder(file) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? null;
}

/** The licences of what is bundled, as a comment: whoever passes a page on passes them on. @param {string[]} inputs */
function licences(inputs) {
  const folders = [...new Set(inputs.map(packageFolder).filter((folder) => folder !== null))].sort();
  const texts = folders.map((folder) => {
    const absolute = path.resolve(ROOT, folder);
    const { name, license, version } = require(path.join(absolute, 'package.json'));
    const file = fs.readdirSync(absolute).find((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${name} has no licence`);
    const text = fs.readFileSync(path.join(absolute, file), 'utf8').trim();
    return `${name} ${version} (${license})\n${text}`;
  });
  return texts.length === 0 ? '' : `/*\nWith these libraries:\n\n${texts.join('\n\n').replaceAll('*/', '* /')}\n*/\n`;
}

function buildPage() {
  const { buildSync } = require('esbuild-wasm');
  const { outputFiles, metafile } = buildSync({
    ...{ entryPoints: [ENTRY], outfile: OUTPUT, bundle: true, minify: true, format: 'iife', target: 'es2022' },
    ...{ absWorkingDir: ROOT, write: false, metafile: true },
    ...{ legalComments: 'none', charset: 'utf8' },
  });
  const script = outputFiles.find(({ path: file }) => file.endsWith('.js'));
  if (script === undefined) throw new Error('nothing was built');
  const text = licences(Object.keys(metafile.inputs)) + script.text;
  if (/<\/script|<!--/i.test(text)) throw new Error('the script would end its own element');
  fs.mkdirSync(path.dirname(OUTPUT), { recursive: true });
  fs.writeFileSync(OUTPUT, text);
}

module.exports = { buildPage, PAGE_SCRIPT: OUTPUT };

if (require.main === module) buildPage();
