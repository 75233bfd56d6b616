'use strict';

const { constants } = require('node:os');
const { loadBinding } = require('../../native/binding');

/**
 * Signals while a program runs, and how it ended. The native part passes each signal that can be caught on to the program
 * (native/platform/signal_relay.h says which, and what a terminal's are); nothing here ever kills the program.
 *
 * @typedef {{ code: number, signal: number, cpuNs?: number | null }} End `signal`: its number, or 0; `cpuNs`: of the program and the
 *   processes below it, nanoseconds, null or missing where it is not known
 */

/** What a user ends a program with, rather than what a program dies of. */
const ENDING = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
/** Of the C library; the ones below it are its own. */
const SIGRTMIN = 34;

/** @param {number} number @returns {string} `SIGTERM`, `SIGRTMIN+16` */
function signalName(number) {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  if (name !== undefined) return name;
  return number === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - SIGRTMIN}`;
}

/**
 * The exit status that stands for an end, as shells have it.
 * @param {End} end
 */
function shellStatus({ code, signal }) {
  return signal === 0 ? code : 128 + signal;
}

/**
 * The signal that spprof got too, and that ended the program: it died of it, or says so as shells and npm do (128 + n). Who
 * asked for the end gets it, and that is no failure.
 * @param {End} end
 * @param {Record<number, number>} caught how often each signal came to spprof, by number
 * @returns {number} 0: none
 */
function endingSignal(end, caught) {
  const number = shellStatus(end) - 128;
  const isEnding = ENDING.some((name) => constants.signals[name] === number);
  return isEnding && (caught[number] ?? 0) > 0 ? number : 0;
}

/**
 * From now on signals are kept for the program, which is started next.
 * @throws {Error} `ERR_SPPROF_NO_BINDING`, `ERR_SPPROF_UNSUPPORTED`, `ERR_SPPROF_SYSTEM`
 */
function catchSignals() {
  const binding = loadBinding();
  binding.catchSignals();
  return {
    /** The program is there. Called before the event loop runs again. @param {number} pid */
    relayTo: (pid) => binding.relaySignals(pid),
    /**
     * @param {{ code: number | null, signal: NodeJS.Signals | null }} told by Node.js, which knows no real-time signal
     * @returns {End}
     */
    endOf({ code, signal }) {
      return binding.programEnd() ?? { code: code ?? 0, signal: signal === null ? 0 : constants.signals[signal] };
    },
    caught: () => binding.caughtSignals(),
    release: () => binding.releaseSignals(),
  };
}

module.exports = { catchSignals, endingSignal, shellStatus, signalName };
