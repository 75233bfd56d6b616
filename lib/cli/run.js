'use strict';

const { codeOf, messageOf } = require('../base/errors');
const { parseArguments } = require('./arguments');
const { paint } = require('./io/colors');

/**
 * What the command line needs of its surroundings; tests give their own.
 * @typedef {{ stdout: { write(text: string): unknown, isTTY?: boolean }, stderr: { write(text: string): unknown, isTTY?: boolean },
 *   env: Record<string, string | undefined>, execPath: string, cwd(): string }} Io
 */

/** @param {import('./arguments').Request} request @param {Io} io @returns {Promise<number>} */
function dispatch(request, io) {
  switch (request.verb) {
    case 'record':
      return require('./verbs/record').record(request, io);
    case 'report':
      return require('./verbs/report').report(request, io);
    case 'convert':
      return require('./verbs/convert').convert(request, io);
    case 'diff':
      return require('./verbs/diff').diff(request, io);
    case 'view':
      return require('./verbs/view').view(request, io);
    case 'recover':
      return require('./verbs/recover').recover(request, io);
    case 'env':
      return require('./verbs/env').env(request, io);
    case 'build':
      return Promise.resolve(require('../../scripts/build-addon').buildAddon());
    case 'help':
      io.stdout.write(require('./help').helpText(request.topic));
      return Promise.resolve(0);
    case 'completion':
      io.stdout.write(require('./verbs/completion').bashCompletion());
      return Promise.resolve(0);
    case 'version':
      io.stdout.write(`${require('../../package.json').version}\n`);
      return Promise.resolve(0);
  }
}

/**
 * Runs the command line. Every error is one line on stderr that says how to mend it.
 * @param {string[]} args without node and the script
 * @param {Io} io
 * @returns {Promise<number>} the exit status: the recorded program's own; 2: wrong use, nothing was started
 */
async function run(args, io) {
  try {
    return await dispatch(parseArguments(args, io.env), io);
  } catch (error) {
    const isOurs = codeOf(error).startsWith('ERR_SPPROF_');
    const text = isOurs ? messageOf(error) : `internal error: ${error instanceof Error ? error.stack : error}`;
    io.stderr.write(`${paint(io.stderr, io.env, 'red', 'spprof:')} ${text}\n`);
    return isOurs ? 2 : 70;
  }
}

module.exports = { run };
