'use strict';

/** What the programs of bench/peers.js print when they end: a line of JSON, the truth. */

const fs = require('node:fs');

/** CPU time of this process so far, ms; of all its threads. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @param {Record<string, unknown>} truth */
function report(truth) {
  fs.writeSync(1, `${JSON.stringify({ ...truth, cpuMs: cpuMs() })}\n`);
}

module.exports = { cpuMs, report };
