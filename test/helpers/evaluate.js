'use strict';

/** Programs that record themselves, each in a process of its own: one recording a process. */

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { cleanEnvironment } = require('./run-cli');

const ROOT = path.join(__dirname, '..', '..');

const PRELUDE = `
  const spprof = require(${JSON.stringify(ROOT)});
  const usedMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  function hotLoop(ms) {
    let sum = 0;
    for (const end = usedMs() + ms; usedMs() < end; ) for (let i = 0; i < 1e5; i++) sum += Math.sqrt(i);
    return sum;
  }
  const codeOf = (action) => { try { action(); return null; } catch (error) { return [error.code, error.message]; } };
  const print = (value) => process.stdout.write(JSON.stringify(value));
`;

/**
 * What a program prints, as JSON; it has `spprof`, `hotLoop(ms)`, `codeOf(action)` and `print(value)`.
 * @param {string} body
 * @param {{ cwd?: string, flags?: string[] }} [settings]
 */
function evaluate(body, { cwd, flags = [] } = {}) {
  const script = `${PRELUDE}(async () => {${body}})();`;
  const settings = { cwd, encoding: /** @type {const} */ ('utf8'), env: cleanEnvironment() };
  return JSON.parse(execFileSync(process.execPath, [...flags, '-e', script], settings));
}

module.exports = { evaluate };
