'use strict';

/**
 * `npm install` in a checkout, and of a dependency that is named by its repository: builds the page and the addon. (An
 * installed package has no install script: its addon is in prebuilds/.)
 */

const { buildAddon } = require('./build-addon');
const { buildPage } = require('./build-page');

buildPage();
// Elsewhere there is nothing to build yet, and the JavaScript says so when a recording is started.
process.exitCode = process.platform === 'linux' && process.arch === 'x64' ? buildAddon() : 0;
