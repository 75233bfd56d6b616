'use strict';

const path = require('node:path');
const { NODE, spelledOut } = require('./child-start');

/** Why what a command starts may not be recorded although it runs: read from its words, for the summary. */

const NAMES = /** @type {Record<string, string>} */ ({
  deno: 'Deno is not recorded',
  bun: 'Bun is not recorded',
  bunx: 'Bun is not recorded',
  sudo: 'sudo removes NODE_OPTIONS',
  doas: 'doas removes NODE_OPTIONS',
  turbo: 'turbo removes NODE_OPTIONS from its tasks (--env-mode=loose keeps it)',
  docker: 'docker gives NODE_OPTIONS to no container by itself',
  podman: 'podman gives NODE_OPTIONS to no container by itself',
  ssh: 'ssh takes NODE_OPTIONS to no other machine',
});

const REMOVED = / (-i|-|--ignore-environment|-u ?NODE_OPTIONS|--unset[= ]NODE_OPTIONS) /;

/**
 * @param {string[]} words the command and its arguments
 * @param {string | undefined} searchPath PATH
 * @param {string} [cwd]
 * @returns {string | null} a clause: `env removes NODE_OPTIONS`
 */
function lossReason(words, searchPath, cwd = process.cwd()) {
  const { words: all, isShell } = spelledOut(words, cwd, searchPath);
  const names = all.map((word) => path.basename(word));
  const node = names.findIndex((name) => NODE.test(name));
  // What stands behind a Node.js is the program's own, except in a shell, where another command may follow.
  const before = isShell || node < 0 ? names : names.slice(0, node);
  const named = before.find(
    (name, i) => Object.hasOwn(NAMES, name) && (isShell || i === 0 || before[i - 1] === 'exec'),
  );
  if (named !== undefined) return NAMES[named];
  if (before.includes('env') && REMOVED.test(` ${all.join(' ')} `)) return 'env removes NODE_OPTIONS';
  if (all.some((word) => word.startsWith('NODE_OPTIONS='))) return 'the command sets NODE_OPTIONS itself';
  if (isShell && / unset( -v)? .*NODE_OPTIONS/.test(all.join(' '))) return 'the command removes NODE_OPTIONS';
  if (all.includes('--build-snapshot')) return 'Node.js with --build-snapshot loads nothing else';
  return null;
}

module.exports = { lossReason };
