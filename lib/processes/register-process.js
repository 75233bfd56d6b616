'use strict';

/**
 * The preload of recorded processes: `node --require spprof/register app.js`, or `spprof node app.js`, which sets
 * NODE_OPTIONS. The main thread starts the recording that the `SPPROF_*` variables describe, in a folder of its own
 * below `SPPROF_DIR` (default: `spprof` in the working folder), and leaves its name in the file `program`; a worker registers itself. Nothing is thrown into the
 * program: when recording is not possible, one line on stderr says why and the program runs on. Where it is the program's own choice,
 * or its surroundings', stderr stays as without us: a note for the command says it.
 */

const { commandFolder, leaveNote } = require('./leave-note');

const FOLDER = commandFolder(process.env);
const NOT_PERMITTED = 'it runs with a permission model';

/** Of its limit, MB. Our own JavaScript takes 0.4 MB, and Node.js itself nearly 4. */
const SMALLEST_HEAP = 8;

/** What this process was started with. */
function givenOptions() {
  return [...process.execArgv, process.env.NODE_OPTIONS].join(' ');
}

/** Whether the heap's limit is so near to what Node.js takes that the program may reach it by what we add. */
function hasTinyHeap() {
  const limit = /--max[-_](?:old[-_]space|heap)[-_]size[=\s](\d+)/g;
  return [...givenOptions().matchAll(limit)].some(([, megabytes]) => Number(megabytes) < SMALLEST_HEAP);
}

const hasPermissions = Reflect.has(process, 'permission');

/** Main thread. @param {import('../../binding')} binding */
function startRecording(binding) {
  const { checkOptions, optionsFromEnvironment, toNativeOptions } = require('../options/options');
  const path = require('node:path');
  const { BY_PRELOAD, beginInFolder } = require('../native/recording-folder');
  const options = checkOptions(optionsFromEnvironment(process.env));
  // The runner of `node --test` has a test file's name in its arguments, and is none.
  const isTestRunner = process.execArgv.includes('--test') && process.env.NODE_TEST_CONTEXT === undefined;
  const script = isTestRunner ? 'node --test' : path.basename(process.argv[1] ?? 'node');
  const program = script.replace(/\.[cm]?[jt]s$/, '');
  const { writeFileSync } = require('node:fs');
  // The load of --on-port is not for a debugger. This file is complete before the next one is there.
  const hasDebugger = /(^|\s)--inspect/.test(givenOptions());
  beginInFolder(options.dir ?? 'spprof', (folder) => {
    if (hasDebugger) writeFileSync(path.join(folder, 'debugger-port'), String(process.debugPort));
    writeFileSync(path.join(folder, 'program'), program);
    binding.start({ ...toNativeOptions(options, folder), startedAt: BY_PRELOAD });
  });
}

/** Why this process is not to be recorded, known before anything is tried; a clause about it, or null. */
function ownChoice() {
  if (hasPermissions && !Reflect.get(process, 'permission').has('fs.write')) return NOT_PERMITTED;
  if (process.env.SPPROF_COMMAND && FOLDER === null) return 'it may not write into the folder of the recording';
  if (hasTinyHeap()) return `its heap may have less than ${SMALLEST_HEAP} MB`;
  return FOLDER !== null && /(^|\s)--no-addons(\s|$)/.test(givenOptions()) ? 'it runs with --no-addons' : null;
}

/** @param {string} reason */
function runUnrecorded(reason) {
  if (FOLDER !== null) leaveNote(FOLDER, `process ${process.pid} (${process.argv[1] ?? process.execPath}): ${reason}`);
}

function recordThisThread() {
  const { isMainThread, threadId } = require('node:worker_threads');
  const binding = require('../native/binding').loadBinding();
  if (isMainThread) startRecording(binding);
  else binding.registerThread(`worker ${threadId}`);
  try {
    require('./child-processes').watchStarts((what) => FOLDER !== null && leaveNote(FOLDER, what));
  } catch {
    // A permission model keeps Node's parts to itself: children are left alone.
  }
}

/** @param {unknown} error */
function tellProblem(error) {
  const { messageOf } = require('../base/errors');
  runUnrecorded(messageOf(error));
  require('node:fs').writeSync(2, `spprof: this process is not recorded: ${messageOf(error)}\n`);
}

try {
  const reason = ownChoice();
  if (reason === null) recordThisThread();
  else runUnrecorded(reason);
} catch (error) {
  try {
    if (hasPermissions) runUnrecorded(NOT_PERMITTED);
    else tellProblem(error);
  } catch {
    // stderr is closed or full: there is nobody to tell, and the program comes first.
  }
}
