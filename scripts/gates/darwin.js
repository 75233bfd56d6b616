'use strict';

/**
 * The macOS side of the platform floor: no Mac has run it yet. Its syntax and types are checked against declarations of what
 * it uses (scripts/gates/darwin/), together with the files that are the same on both.
 */

const { capture, projectFiles, requireTool } = require('../tools');

const SHARED = ['native/platform/interval_timer.cc'];
const FLAGS = ['-fsyntax-only', '-std=c++20', '-Wall', '-Wextra', '-Inative', '-isystem', 'scripts/gates/darwin'];

/** @returns {string[]} one line a problem */
function checkDarwin() {
  requireTool('g++');
  const files = [...projectFiles('native/platform/darwin/*.cc'), ...SHARED];
  const { status, output } = capture('g++', [...FLAGS, ...files]);
  return status === 0 ? [] : [output.trim()];
}

module.exports = { checkDarwin };
