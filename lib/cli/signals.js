'use strict';

const fs = require('node:fs');

/** Signals to the command `spprof` while a program runs: they end the program, not the recording. */

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** From this signal on, the program is killed: it has not ended on the earlier ones. */
const KILL_AFTER = 3;

/**
 * Whether this process is in its terminal's foreground process group: then Ctrl-C goes to the program too, by itself.
 * Without /proc: whether there is a terminal at all.
 */
function isInForeground() {
  let stat;
  try {
    stat = fs.readFileSync('/proc/self/stat', 'latin1');
  } catch {
    return process.stdin.isTTY === true;
  }
  // After the command's name: state, parent, process group, session, terminal, the terminal's foreground process group.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[5]) > 0 && fields[2] === fields[5];
}

/**
 * Passes signals on to the program, until `release()`.
 * @param {{ kill(signal: NodeJS.Signals): boolean }} child
 * @param {{ on: Function, off: Function }} [source] of the signals
 * @param {() => boolean} [isForeground]
 */
function forwardSignals(child, source = process, isForeground = isInForeground) {
  let received = 0;
  /** @param {NodeJS.Signals} signal */
  const onSignal = (signal) => {
    received++;
    if (received >= KILL_AFTER) child.kill('SIGKILL');
    else if (signal !== 'SIGINT' || !isForeground()) child.kill(signal);
  };
  for (const signal of SIGNALS) source.on(signal, onSignal);
  return {
    /** Whether a signal came. */
    get isInterrupted() {
      return received > 0;
    },
    release() {
      for (const signal of SIGNALS) source.off(signal, onSignal);
    },
  };
}

module.exports = { forwardSignals, isInForeground };
