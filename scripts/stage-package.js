'use strict';

/**
 * Puts what a package holds beside its JavaScript where `npm pack` takes it from: the addon, without the symbols that
 * only a debugger needs, in `prebuilds/<platform>-<arch>/`; and the addon's sources as one archive, since they are read
 * only where `npx spprof build` compiles them, and are a third of the package otherwise.
 */

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ROOT, requireTool, run } = require('./tools');

/** In the package's folder; scripts/build-addon.js unpacks it. */
const SOURCES = 'native-sources.tar.gz';

/** @returns {string} the addon's path */
function stageAddon() {
  const folder = path.join(ROOT, 'prebuilds', `${process.platform}-${process.arch}`);
  const target = path.join(folder, 'spprof.node');
  fs.mkdirSync(folder, { recursive: true });
  // Another file, not another content: a process that has it loaded keeps what it has.
  fs.rmSync(target, { force: true });
  fs.copyFileSync(path.join(ROOT, 'build', 'Release', 'spprof.node'), target);
  requireTool('strip');
  if (run('strip', ['--strip-unneeded', target]) !== 0) throw new Error(`strip failed on ${target}`);
  return target;
}

/** The same bytes for the same sources. */
function stageSources() {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  const left = ['--exclude=native/platform/darwin', '--exclude=*.md'];
  execFileSync('tar', [...same, ...left, '--use-compress-program=gzip -9n', '-cf', SOURCES, 'native'], { cwd: ROOT });
}

/** @returns {string} the addon's path @throws {Error} where a tool is missing or fails */
function stagePackage() {
  stageSources();
  return stageAddon();
}

module.exports = { stagePackage };
