'use strict';

/**
 * Before `npm pack`: builds the addon and the page, and puts the addon, without the symbols that only a debugger needs,
 * where an installed package looks for it (`prebuilds/<platform>-<arch>/`).
 */

const fs = require('node:fs');
const path = require('node:path');
const { buildPage } = require('./build-page');
const { buildAddon } = require('./build-addon');
const { checkGlibcFloor } = require('./gates/glibc-floor');
const { ROOT, requireTool, run } = require('./tools');

function prepack() {
  if (buildAddon() !== 0) return 1;
  buildPage();
  const folder = path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`);
  const target = path.join(folder, 'spprof.node');
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(path.join(ROOT, 'build', 'Release', 'spprof.node'), target);
  requireTool('strip');
  const status = run('strip', ['--strip-unneeded', target]);
  const problems = checkGlibcFloor(target);
  for (const problem of problems) process.stderr.write(`${target}: ${problem}\n`);
  return problems.length > 0 ? 1 : status;
}

process.exitCode = prepack();
