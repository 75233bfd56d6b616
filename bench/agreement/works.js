'use strict';

/**
 * Real work of known packages, each for so many seconds of CPU time: `node bench/agreement/works.js <name> <seconds>`. What they work on are the
 * packages' own files. One round is done in each before another begins, so that rounds are what is compared.
 */

const fs = require('node:fs');
const path = require('node:path');

const MODULES = path.join(__dirname, '..', '..', 'node_modules');

/** @param {string[]} names */
const read = (...names) => fs.readFileSync(path.join(MODULES, ...names), 'utf8');

/** Each prepares, and returns what one round does. */
const WORKS = {
  typescript() {
    const ts = require('typescript');
    const root = path.join(__dirname, '..', '..');
    const options = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.Node16,
      moduleResolution: ts.ModuleResolutionKind.Node16,
      types: ['node'],
      typeRoots: [path.join(MODULES, '@types')],
      strict: true,
      noEmit: true,
    };
    return () => ts.getPreEmitDiagnostics(ts.createProgram([path.join(root, 'lib', 'index.d.ts')], options)).length;
  },
  prettier() {
    const prettier = require('prettier');
    const text = read('markdown-it', 'dist', 'markdown-it.cjs.js');
    return () => prettier.format(text, { parser: 'babel' });
  },
  babel() {
    const babel = require('@babel/core');
    const text = read('markdown-it', 'dist', 'markdown-it.cjs.js');
    const settings = { configFile: false, babelrc: false, sourceType: 'script', compact: false };
    return () => babel.transformSync(text, settings)?.code?.length;
  },
  terser() {
    const { minify } = require('terser');
    const text = read('markdown-it', 'dist', 'markdown-it.cjs.js');
    return () => minify(text);
  },
  'markdown-it'() {
    const markdown = require('markdown-it')({ html: true, linkify: true, typographer: true });
    const texts = fs
      .readdirSync(MODULES)
      .map((name) => path.join(MODULES, name, 'README.md'))
      .filter((file) => fs.existsSync(file))
      .map((file) => fs.readFileSync(file, 'utf8'));
    return () => texts.reduce((sum, text) => sum + markdown.render(text).length, 0);
  },
};

/** @param {string} name @param {number} seconds */
async function main(name, seconds) {
  if (!Object.hasOwn(WORKS, name)) throw new Error(`one of ${Object.keys(WORKS).join(', ')}, not '${name}'`);
  const round = WORKS[/** @type {keyof typeof WORKS} */ (name)]();
  let rounds = 0;
  while (process.cpuUsage().user < seconds * 1e6) {
    await round();
    rounds++;
  }
  process.stdout.write(`${rounds} rounds\n`);
}

if (require.main === module) main(process.argv[2], Number(process.argv[3] ?? 10));

module.exports = { WORKS };
