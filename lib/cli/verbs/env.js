'use strict';

const { describeMachine } = require('../machine');

/** @param {unknown} value */
function show(value) {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    return entries.length === 0 ? 'none' : entries.map(([name, each]) => `${name}=${each}`).join(' ');
  }
  return String(value);
}

/** @param {string} name camelCase @returns {string} words */
function words(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** @param {string} title @param {Record<string, unknown>} facts */
function section(title, facts) {
  const rows = Object.entries(facts).map(([name, value]) => `  ${words(name).padEnd(22)} ${show(value)}`);
  return `${title}\n${rows.join('\n')}\n`;
}

/** @param {{ asked: string, intervalUs: number, used: string | null, samples: number, problem: string | null }} trial */
function engineRow({ asked, intervalUs, used, samples, problem }) {
  const name = `${asked} ${intervalUs / 1000} ms`;
  return [name, problem ?? `${samples} samples in 100 ms of CPU time, by ${used}`];
}

/**
 * `spprof env`: what this machine and this Node.js allow, for a bug report.
 * @param {{ json: boolean }} request
 * @param {import('../run').Io} io
 * @returns {Promise<number>} 0, or 1 where nothing can be recorded
 */
async function env({ json }, io) {
  const machine = await describeMachine();
  if (json) {
    io.stdout.write(`${JSON.stringify(machine, null, 2)}\n`);
  } else {
    const { spprof, engines, ...sections } = machine;
    const texts = Object.entries(sections).map(([title, facts]) => section(title, facts));
    if (engines.length > 0) texts.push(section('engines', Object.fromEntries(engines.map(engineRow))));
    io.stdout.write(`spprof ${spprof}\n${texts.join('')}`);
  }
  return machine.addon.problem === null ? 0 : 1;
}

module.exports = { env };
