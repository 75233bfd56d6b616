'use strict';

/** What a target's process uses, as /proc says. */

const fs = require('node:fs');

/** Between two looks at a process. */
const LOOK_MS = 250;
/** Of /proc's times: the same on all Linux machines (USER_HZ). */
const TICKS_A_SECOND = 100;

/** @param {number} pid @returns {number} bytes; 0: it has ended */
function residentBytes(pid) {
  try {
    return Number(fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  } catch {
    return 0;
  }
}

/** @param {number} pid @returns {number} seconds; 0: it has ended */
function cpuSeconds(pid) {
  try {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
  } catch {
    return 0;
  }
}

module.exports = { LOOK_MS, cpuSeconds, residentBytes };
