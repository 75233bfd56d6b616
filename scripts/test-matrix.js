'use strict';

/**
 * `npm run test:matrix [-- 18 22]`: runs the Jest suite with each supported Node, one binary of the addon for all. The
 * Node executables come from npm's `node-<platform>-<arch>` packages and are kept in .cache/.
 */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT, capture, packageBin, run } = require('./tools');

const VERSIONS = ['18', '20', '22', '24', '26'];
const CACHE = path.join(ROOT, '.cache');

/**
 * The executable of a Node version, fetched when it is not in the cache.
 * @param {string} version major, or exact
 * @returns {string}
 */
function nodeOf(version) {
  const folder = path.join(CACHE, `node-${version}`);
  const executable = path.join(folder, 'package', 'bin', 'node');
  if (fs.existsSync(executable)) return executable;
  fs.mkdirSync(folder, { recursive: true });
  const spec = `node-${process.platform}-${process.arch}@${version}`;
  const { status, output, stdout } = capture('npm', ['pack', '--silent', '--pack-destination', folder, spec]);
  if (status !== 0) throw new Error(`npm pack ${spec} failed: ${output.trim()}`);
  const archive = path.join(folder, /** @type {string} */ (stdout.trim().split('\n').at(-1)));
  if (run('tar', ['-xzf', archive, '-C', folder]) !== 0) throw new Error(`cannot unpack ${archive}`);
  fs.rmSync(archive);
  return executable;
}

/** @param {string} version */
function testWith(version) {
  const node = nodeOf(version);
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` };
  const jest = fs.realpathSync(packageBin('jest'));
  const begin = performance.now();
  const status = run(node, [jest], { env });
  const exact = capture(node, ['--version']).stdout.trim();
  return { version: exact, status, seconds: (performance.now() - begin) / 1000 };
}

const asked = process.argv.slice(2);
const results = (asked.length > 0 ? asked : VERSIONS).map(testWith);
process.stdout.write('\nNode         result    time\n');
for (const { version, status, seconds } of results) {
  process.stdout.write(
    `${version.padEnd(11)}  ${status === 0 ? 'ok    ' : 'FAILED'}  ${seconds.toFixed(0).padStart(4)} s\n`,
  );
}
process.exitCode = results.every(({ status }) => status === 0) ? 0 : 1;
