'use strict';

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** Runs the real command line, in a folder of its own. */

const CLI = path.join(__dirname, '..', '..', 'lib', 'cli', 'main.js');

/** Without what this process may have been given; but the suite can be run with another engine: `SPPROF_TIMER=itimer`. */
function cleanEnvironment() {
  const entries = Object.entries(process.env).filter(
    ([name]) =>
      name === 'SPPROF_TIMER' || (!name.startsWith('SPPROF_') && name !== 'NODE_OPTIONS' && name !== 'JEST_WORKER_ID'),
  );
  return Object.fromEntries(entries);
}

/** A folder that is removed after the tests of the file. @returns {string} */
function temporaryFolder() {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'spprof test ')));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

/**
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [settings]
 */
function runCli(args, { cwd, env } = {}) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    ...{ cwd, encoding: 'utf8', timeout: 120_000 },
    env: { ...cleanEnvironment(), ...env },
  });
  return { status, signal, stdout, stderr };
}

/**
 * Starts the command line in a session of its own (no terminal), and waits for the program's first output.
 * @param {string[]} args
 * @param {{ cwd: string, env?: Record<string, string> }} settings
 */
async function startCli(args, { cwd, env }) {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    detached: true,
    env: { ...cleanEnvironment(), ...env },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => {
    child.once('close', (status, signal) => resolve({ status, signal, stderr }));
  });
  const firstOutput = await new Promise((resolve) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
  });
  return { child, firstOutput, ended };
}

module.exports = { CLI, runCli, startCli, temporaryFolder, cleanEnvironment };
