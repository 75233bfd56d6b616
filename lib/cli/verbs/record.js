'use strict';

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { errors, systemReason } = require('../../base/errors');
const { findBinding, loadBinding } = require('../../native/binding');
const { optionsToEnvironment } = require('../../options/options');
const { commandError, programName, recordingEnvironment, resolveCommand } = require('../command');
const { checkOutputs, isStream, planOutputs } = require('../io/output-names');
const { makeFolders } = require('../../native/recording-folder');
const { lossReason } = require('../../processes/child-loss');
const { startProblem } = require('../../processes/child-start');
const { preloadFile } = require('../preload');
const { inherited } = require('../inherited');
const { catchSignals, endingSignal, shellStatus } = require('../io/signals');

/**
 * `spprof [record]`: runs a program whose Node processes record themselves, then writes the outputs. What is needed only
 * afterwards is loaded while the program runs.
 */

/**
 * A folder of our own for the recording. Not beside the outputs, if it can be elsewhere: a program that watches its working folder
 * would see it change, and start anew. What is in /var/tmp outlasts a restart of the machine.
 * @param {Record<string, string | undefined>} env
 * @param {string} beside the first output that is a file
 */
function makePrivateFolder(env, beside) {
  const places = [env.TMPDIR, '/var/tmp', '/tmp'].filter((place) => place !== undefined && path.isAbsolute(place));
  for (const place of places) {
    try {
      return fs.mkdtempSync(path.join(/** @type {string} */ (place), 'spprof-'));
    } catch {
      // Not there, or not for this user: the next place.
    }
  }
  return fs.mkdtempSync(path.join(beside, '.spprof-'));
}

/**
 * The folder for the recording: the one asked for, or a private one.
 * @param {string | null} dir
 * @param {import('../io/output-names').Output[]} outputs
 * @param {import('../run').Io} io
 */
function makeFolder(dir, outputs, io) {
  const cwd = io.cwd();
  const file = outputs.find(({ pattern }) => !isStream(pattern))?.pattern;
  const beside = file === undefined ? cwd : path.dirname(file);
  const target = dir === null ? path.join(beside, '.spprof-') : path.resolve(cwd, dir);
  try {
    if (dir === null) return makePrivateFolder(io.env, beside);
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
 * The program's name for `%n`, where its processes leave none.
 * @param {string} command
 * @param {string[]} args
 * @param {string} execPath
 */
function programOfCommand(command, args, execPath) {
  const isNode = command === execPath || /^node(\.exe)?$/.test(path.basename(command));
  if (isNode && args.includes('--test')) return 'node --test';
  const script = command === execPath ? args[0] : args.find((arg) => /\.[cm]?[jt]s$/.test(arg));
  return programName(script ?? command);
}

/**
 * @typedef {object} Started
 * @property {import('node:child_process').ChildProcess} child
 * @property {ReturnType<typeof catchSignals>} signals
 */

/**
 * Starts the program, with what this process was given, and its signals from now on.
 * @param {[string, string[]]} command
 * @param {Record<string, string | undefined>} env
 * @returns {Started}
 */
function startProgram([command, args], env) {
  const { stdio, env: channel, handOver } = inherited();
  const signals = catchSignals();
  try {
    const child = spawn(command, args, { stdio, env: /** @type {NodeJS.ProcessEnv} */ ({ ...env, ...channel }) });
    if (child.pid !== undefined) signals.relayTo(child.pid);
    handOver();
    return { child, signals };
  } catch (error) {
    signals.release();
    throw error;
  }
}

/** Loads what is needed after the program has ended. */
function warmUp() {
  require('../finish');
  require('../summary');
  require('../collect').warmUp();
}

/**
 * The exit status: the program's own; 0 if a signal to spprof ended it, or the load of `--on-port`, unless that failed.
 * @param {import('../io/signals').End} end
 * @param {Record<number, number>} caught
 * @param {ReturnType<typeof import('../io/on-port').loadOnPort> | null} load
 * @param {import('../run').Io} io
 */
function exitStatus(end, caught, load, io) {
  if (endingSignal(end, caught) !== 0) return 0;
  const failure = load?.failure() ?? null;
  if (failure !== null) io.stderr.write(`spprof: ${failure}\n`);
  if (load?.hasEndedProgram() === true) return failure === null ? 0 : 1;
  return shellStatus(end);
}

/**
 * @param {import('../arguments').RecordRequest} request
 * @param {import('../run').Io} io
 * @returns {Promise<number>} the program's exit status; 0 when a signal to spprof ended it
 * @throws {Error} (rejects) when nothing could be started
 */
async function record(request, io) {
  const cwd = io.cwd();
  const outputs = planOutputs(request, cwd);
  checkOutputs(outputs);
  const summaryFile = typeof request.json === 'string' ? path.resolve(cwd, request.json) : null;
  if (summaryFile !== null) checkOutputs([{ pattern: summaryFile, format: 'text' }]);
  const [command, args] = resolveCommand(request.command, io);
  checkTimer(request.options.timer);
  const folder = makeFolder(request.options.dir, outputs, io);
  const isPrivate = request.options.dir === null;
  const before = new Set(isPrivate ? [] : fs.readdirSync(folder));

  const preload = preloadFile();
  const unrecorded = startProblem([command, ...args], io.env, preload, cwd);
  const variables = optionsToEnvironment({ ...request.options, handleSignals: true, dir: folder });
  variables.SPPROF_COMMAND = String(process.pid);
  const env = unrecorded === null ? recordingEnvironment(io.env, variables, preload) : io.env;
  const { child, signals } = startProgram([command, args], env);
  const load =
    request.onPort === null
      ? null
      : require('../io/on-port').loadOnPort({ command: request.onPort, folder, child, io });
  try {
    const ended = waitForEnd(child);
    setImmediate(warmUp);
    const end = signals.endOf(await ended);
    const status = exitStatus(end, signals.caught(), load, io);
    const isComplete = await require('../finish').finish({
      folder,
      ignore: before,
      keepFolder: !isPrivate,
      reading: request.options,
      firstPid: child.pid ?? 0,
      program: programOfCommand(command, args, io.execPath),
      command: request.command[0],
      unrecorded: unrecorded ?? lossReason([command, ...args], io.env.PATH, cwd),
      outputs,
      summary: request.quiet ? 'none' : request.json === true ? 'json' : 'text',
      summaryFile,
      verbose: request.verbose,
      end,
      io,
    });
    return isComplete || status !== 0 ? status : 1;
  } catch (error) {
    if (child.pid !== undefined) throw error;
    if (isPrivate) fs.rmSync(folder, { recursive: true });
    throw commandError(request.command[0], error, cwd);
  } finally {
    signals.release();
  }
}

module.exports = { record };
