'use strict';

/** Before `npm pack`: builds the page and the addon, checks what the addon needs, and puts both where the package has them. */

const { buildPage } = require('./build-page');
const { buildAddon } = require('./build-addon');
const { checkGlibcFloor } = require('./gates/glibc-floor');
const { stagePackage } = require('./stage-package');

function prepack() {
  if (buildAddon() !== 0) return 1;
  buildPage();
  const addon = stagePackage();
  const problems = checkGlibcFloor(addon);
  for (const problem of problems) process.stderr.write(`${addon}: ${problem}\n`);
  return problems.length > 0 ? 1 : 0;
}

process.exitCode = prepack();
