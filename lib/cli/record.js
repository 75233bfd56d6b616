'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { errors, systemReason } = require('../errors');
const { findBinding, loadBinding } = require('../binding');
const { optionsToEnvironment } = require('../options');
const { commandError, programName, recordingEnvironment, resolveCommand } = require('./command');
const { checkOutputs, planOutputs } = require('./output-names');
const { makeFolders } = require('../recording-folder');
const { forwardSignals } = require('./signals');

/**
 * `spprof [record]`: runs a program whose Node processes record themselves, then writes the outputs. What is needed only
 * afterwards is loaded while the program runs.
 */

/**
 * The folder for the recording: the one asked for, or a private one beside the first output.
 * @param {string | null} dir
 * @param {import('./output-names').Output[]} outputs
 * @param {string} cwd
 */
function makeFolder(dir, outputs, cwd) {
  const target = dir === null ? path.join(path.dirname(outputs[0].pattern), '.spprof-') : path.resolve(cwd, dir);
  try {
    if (dir === null) return fs.mkdtempSync(target);
    makeFolders(target);
    fs.accessSync(target, fs.constants.W_OK);
    return target;
  } catch (error) {
    throw errors.output(target, systemReason(error));
  }
}

/**
 * Waits until the program has ended.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
function waitForEnd(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** @param {{ code: number | null, signal: NodeJS.Signals | null }} end */
function statusOf({ code, signal }) {
  return signal === null ? (code ?? 0) : 128 + require('node:os').constants.signals[signal];
}

/**
 * An engine that cannot be used is found out before the program runs. The addon is loaded only where that is a question.
 * @param {string} timer
 */
function checkTimer(timer) {
  findBinding();
  const problem = timer === 'perf' ? loadBinding().timerProblem(timer) : '';
  if (problem !== '') throw errors.timer(problem);
}

/**
 * @param {import('./arguments').RecordRequest} request
 * @param {import('./run').Io} io
 * @returns {Promise<number>} the program's exit status; 0 when a signal to spprof ended it
 * @throws {Error} (rejects) when nothing could be started
 */
async function record(request, io) {
  const cwd = io.cwd();
  const outputs = planOutputs(request, cwd);
  checkOutputs(outputs);
  const [command, args] = resolveCommand(request.command, io);
  checkTimer(request.options.timer);
  const folder = makeFolder(request.options.dir, outputs, cwd);
  const isPrivate = request.options.dir === null;
  const before = new Set(isPrivate ? [] : fs.readdirSync(folder));

  const env = recordingEnvironment(
    io.env,
    optionsToEnvironment({ ...request.options, handleSignals: true, dir: folder }),
  );
  const child = spawn(command, args, { stdio: 'inherit', env: /** @type {NodeJS.ProcessEnv} */ (env) });
  const signals = forwardSignals(child);
  const load =
    request.onPort === null ? null : require('./on-port').loadOnPort({ command: request.onPort, folder, child, io });
  let end;
  try {
    const ended = waitForEnd(child);
    setImmediate(() => {
      require('./finish');
      require('./summary');
      require('./collect').warmUp();
    });
    end = await ended;
  } catch (error) {
    if (isPrivate) fs.rmSync(folder, { recursive: true });
    throw commandError(request.command[0], error, cwd);
  } finally {
    signals.release();
  }

  const { finish } = require('./finish');
  const program = programName(
    command === io.execPath ? args[0] : (args.find((arg) => /\.[cm]?[jt]s$/.test(arg)) ?? command),
  );
  const failure = signals.isInterrupted ? null : (load?.failure() ?? null);
  if (failure !== null) io.stderr.write(`spprof: ${failure}\n`);
  const isEndedByUs = signals.isInterrupted || load?.hasEndedProgram() === true;
  const status = isEndedByUs ? (failure === null ? 0 : 1) : statusOf(end);
  const isComplete = await finish({
    folder,
    ignore: before,
    keepFolder: !isPrivate,
    reading: request.options,
    firstPid: child.pid ?? 0,
    program,
    command: request.command[0],
    outputs,
    summary: request.quiet ? 'none' : request.json ? 'json' : 'text',
    end,
    io,
  });
  return isComplete || status !== 0 ? status : 1;
}

module.exports = { record };
