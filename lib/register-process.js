'use strict';

/**
 * The preload of recorded processes: `node --require spprof/register app.js`, or `spprof node app.js`, which sets
 * NODE_OPTIONS. The main thread starts the recording that the `SPPROF_*` variables describe, in a folder of its own
 * below `SPPROF_DIR` (default: `spprof` in the working folder), and leaves its name in the file `program`; a worker registers itself. Nothing is thrown into the
 * program: when recording is not possible, one line on stderr says why and the program runs on.
 */

/** Main thread. @param {import('../binding')} binding */
function startRecording(binding) {
  const { checkOptions, optionsFromEnvironment, toNativeOptions } = require('./options');
  const path = require('node:path');
  const { makeRecordingFolder } = require('./recording-folder');
  const options = checkOptions(optionsFromEnvironment(process.env));
  const directory = makeRecordingFolder(options.dir ?? 'spprof');
  const program = path.basename(process.argv[1] ?? 'node').replace(/\.[cm]?[jt]s$/, '');
  const { writeFileSync } = require('node:fs');
  // The load of --on-port is not for a debugger. This file is complete before the next one is there.
  const hasDebugger = /(^|\s)--inspect/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '));
  if (hasDebugger) writeFileSync(path.join(directory, 'debugger-port'), String(process.debugPort));
  writeFileSync(path.join(directory, 'program'), program);
  binding.start({ ...toNativeOptions(options, directory), startedAt: 'by the spprof command, or its preload' });
}

try {
  const { isMainThread, threadId } = require('node:worker_threads');
  const binding = require('./binding').loadBinding();
  if (isMainThread) startRecording(binding);
  else binding.registerThread(`worker ${threadId}`);
} catch (error) {
  try {
    const { messageOf } = require('./errors');
    require('node:fs').writeSync(2, `spprof: this process is not recorded: ${messageOf(error)}\n`);
  } catch {
    // stderr is closed or full: there is nobody to tell, and the program comes first.
  }
}
