'use strict';

/**
 * `npm install` in a checkout, and of a dependency that is named by its repository: builds the page and the addon, and
 * makes the folder ready for `npm pack`. An installed package has no install script: its addon is in prebuilds/. For the
 * same reason this is `postprepare`: npm warns of a `prepare` script wherever a package is installed from a file.
 */

const { buildAddon } = require('./build-addon');
const { buildPage } = require('./build-page');
const { stagePackage } = require('./stage-package');

function prepare() {
  buildPage();
  // Elsewhere there is nothing to build yet, and the JavaScript says so when a recording is started.
  if (process.platform !== 'linux' || process.arch !== 'x64') return 0;
  const status = buildAddon();
  if (status === 0) stagePackage();
  return status;
}

process.exitCode = prepare();
