'use strict';

/**
 * The formats whose files hold a whole recording and nothing else: each exporter is loaded when it is first asked for.
 *
 * @typedef {import('../../binding').NativeRecording} Recording
 * @typedef {(recording: Recording) => Iterable<string | Uint8Array>} Exporter
 */

/** @type {Record<'collapsed' | 'pprof' | 'speedscope' | 'firefox' | 'trace', Exporter>} */
const EXPORTERS = {
  collapsed: (recording) => require('./collapsed').collapsedPieces(recording),
  pprof: (recording) => require('./pprof').pprofPieces(recording),
  speedscope: (recording) => require('./speedscope').speedscopePieces(recording),
  firefox: (recording) => require('./firefox').firefoxPieces(recording),
  trace: (recording) => require('./trace').tracePieces(require('./holdable').asTimes(recording)),
};

module.exports = { EXPORTERS };
