'use strict';

const fs = require('node:fs');
const path = require('node:path');

/**
 * Notes for the summary of the command about what is not recorded, each a file in its folder. They stand where a line on stderr would
 * change what a program prints.
 */

const PREFIX = 'note-';
/** Of one process, which may start any number of children. */
const MOST_NOTES = 16;

/** @type {Set<string>} */
const told = new Set();

/**
 * The folder of the command that records this process; null: there is none, or this process may not write into it (it runs as another
 * user, or in another root folder).
 * @param {Record<string, string | undefined>} env
 * @returns {string | null}
 */
function commandFolder({ SPPROF_COMMAND, SPPROF_DIR }) {
  if (!SPPROF_COMMAND || !SPPROF_DIR) return null;
  try {
    fs.accessSync(SPPROF_DIR, fs.constants.W_OK | fs.constants.X_OK);
    return SPPROF_DIR;
  } catch {
    return null;
  }
}

/**
 * Leaves a note. What is not written is only missing in the summary.
 * @param {string} folder of the command
 * @param {string} what `process 12: it runs with --no-addons`
 */
function leaveNote(folder, what) {
  if (told.has(what) || told.size >= MOST_NOTES) return;
  told.add(what);
  try {
    fs.writeFileSync(path.join(folder, `${PREFIX}${process.pid}-${told.size}`), what, { flag: 'wx', mode: 0o600 });
  } catch {
    // The folder has gone, or is full; nothing in the program depends on it.
  }
}

/**
 * Takes the notes out of a folder of the command.
 * @param {string} folder
 * @param {Set<string>} ignored names of earlier runs
 * @returns {string[]}
 */
function takeNotes(folder, ignored) {
  const names = fs.readdirSync(folder).filter((name) => name.startsWith(PREFIX) && !ignored.has(name));
  return names.map((name) => {
    const file = path.join(folder, name);
    const text = fs.readFileSync(file, 'utf8');
    fs.rmSync(file);
    return text;
  });
}

module.exports = { commandFolder, leaveNote, takeNotes };
