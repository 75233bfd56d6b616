'use strict';

/**
 * Every error of spprof, in one catalogue: code, class and wording. A message says what was given, what is allowed and
 * how to mend it. Codes are part of the public API; wordings are not. (The native side throws `ERR_SPPROF_RUNNING`,
 * `ERR_SPPROF_NOT_RUNNING`, `ERR_SPPROF_SYSTEM` and `ERR_SPPROF_BAD_RECORDING` by itself too.)
 */

const { visible } = require('./visible');

/** @typedef {Error & { code: string, option?: string, given?: unknown, allowed?: string }} SpprofError */

/**
 * What was given, on one line, shortened.
 * @param {unknown} value
 */
function show(value) {
  if (typeof value === 'string') return JSON.stringify(shorten(value));
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** @param {string} text */
function shorten(text) {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/**
 * @param {ErrorConstructor | TypeErrorConstructor | RangeErrorConstructor} Class
 * @param {string} code
 * @param {string} message
 * @param {object} [details]
 * @returns {SpprofError}
 */
function make(Class, code, message, details) {
  const error = new Class(visible(message));
  Object.defineProperty(error, 'name', { value: Class.name, configurable: true });
  return Object.assign(error, { code }, details);
}

/** @param {string | null} nearest */
function didYouMean(nearest) {
  return nearest === null ? '' : `; did you mean ${nearest}?`;
}

/** The catalogue: one function an error. */
const errors = {
  /** @param {string} option @param {string | null} nearest @param {string[]} known */
  unknownOption(option, nearest, known) {
    const help = nearest === null ? `; known are ${known.join(', ')}` : didYouMean(nearest);
    return make(TypeError, 'ERR_SPPROF_UNKNOWN_OPTION', `unknown option ${option}${help}`, {
      option,
      allowed: known.join(', '),
    });
  },

  /** @param {string} option @param {unknown} given @param {string} allowed */
  optionType(option, given, allowed) {
    return make(TypeError, 'ERR_SPPROF_OPTION_TYPE', `${option} must be ${allowed}, not ${show(given)}`, {
      option,
      given,
      allowed,
    });
  },

  /** @param {string} option @param {unknown} given @param {string} allowed @param {string | null} [nearest] */
  optionRange(option, given, allowed, nearest = null) {
    const message = `${option} must be ${allowed}, not ${show(given)}${didYouMean(nearest)}`;
    return make(RangeError, 'ERR_SPPROF_OPTION_RANGE', message, { option, given, allowed });
  },

  /** @param {string} what @param {string} available */
  unavailable(what, available) {
    const message = `${what} is not in this version of spprof; available: ${available}`;
    return make(Error, 'ERR_SPPROF_UNAVAILABLE', message, { allowed: available });
  },

  /** @param {string} where */
  running(where) {
    const message = `already recording: started ${where}; stop that session first`;
    return make(Error, 'ERR_SPPROF_RUNNING', message);
  },

  /** @param {string} what */
  notRunning(what) {
    return make(Error, 'ERR_SPPROF_NOT_RUNNING', `${what} after stop(): this session has ended`);
  },

  /** @param {string} what @param {string} given */
  notAlike(what, given) {
    return make(RangeError, 'ERR_SPPROF_NOT_ALIKE', `profiles of different ${what} cannot be merged: ${given}`, {
      given,
    });
  },

  /** @param {string} reason */
  noBinding(reason) {
    const help = 'build it with: npx spprof build; if the program is bundled, mark spprof as external';
    return make(Error, 'ERR_SPPROF_NO_BINDING', `the native part of spprof cannot be loaded (${reason}); ${help}`);
  },

  /** @param {string} reason why, and what to do */
  unsupported(reason) {
    return make(Error, 'ERR_SPPROF_UNSUPPORTED', `spprof cannot record here: ${reason}`);
  },

  /** @param {string} what @param {number} bytes @param {number} limit */
  tooLarge(what, bytes, limit) {
    const message = `${what} has ${bytes} bytes; at most ${limit} are kept`;
    return make(RangeError, 'ERR_SPPROF_TOO_LARGE', message, { given: bytes, allowed: `${limit} bytes` });
  },

  /** @param {unknown} given @param {string} available */
  unknownThread(given, available) {
    const message = `no thread ${show(given)} in this profile; it has ${available}`;
    return make(RangeError, 'ERR_SPPROF_UNKNOWN_THREAD', message, { given, allowed: available });
  },

  /** @param {string} file @param {string} reason */
  badRecording(file, reason) {
    return make(Error, 'ERR_SPPROF_BAD_RECORDING', `${file} is not a recording, or a damaged one: ${reason}`, {
      given: file,
    });
  },

  /** @param {unknown} given @param {string} available */
  unknownProcess(given, available) {
    const message = `no process ${show(given)} in this profile; it has ${available}`;
    return make(RangeError, 'ERR_SPPROF_UNKNOWN_PROCESS', message, { given, allowed: available });
  },

  /** @param {string} block */
  tooManyBlocks(block) {
    const message = `no room for block ${show(block)}: there are 16383 blocks; names must not be made from data`;
    return make(RangeError, 'ERR_SPPROF_TOO_MANY_BLOCKS', message, { given: block });
  },

  /** @param {string} file @param {string} allowed */
  unknownFormat(file, allowed) {
    const message = `cannot tell the format of ${show(file)}; the name may end in ${allowed}, or say it with --format`;
    return make(RangeError, 'ERR_SPPROF_UNKNOWN_FORMAT', message, { given: file, allowed });
  },

  /** @param {string} file @param {string} reason */
  output(file, reason) {
    return make(Error, 'ERR_SPPROF_OUTPUT', `cannot write ${shorten(file)}: ${reason}`, { given: file });
  },

  /** @param {string} file @param {string} reason */
  input(file, reason) {
    return make(Error, 'ERR_SPPROF_INPUT', `cannot read ${shorten(file)}: ${reason}`, { given: file });
  },

  /** @param {string} command @param {string} reason */
  command(command, reason) {
    return make(Error, 'ERR_SPPROF_COMMAND', `cannot run ${show(command)}: ${reason}`, { given: command });
  },

  /** @param {string} problem */
  timer(problem) {
    return make(Error, 'ERR_SPPROF_TIMER', problem);
  },

  /** @param {string} message */
  usage(message) {
    return make(Error, 'ERR_SPPROF_USAGE', message);
  },
};

/**
 * The code of an error, or `''`.
 * @param {unknown} error
 */
function codeOf(error) {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/**
 * The message of whatever was thrown, on one line.
 * @param {unknown} error
 */
function messageOf(error) {
  const message = error instanceof Error ? error.message : String(error);
  return visible(message.replace(/\s*\n\s*/g, ' '));
}

const SYSTEM_REASONS = /** @type {Record<string, string>} */ ({
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is not a folder',
  EISDIR: 'it is a folder',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EEXIST: 'it exists already',
  ENOEXEC: 'it is not an executable program',
  E2BIG: 'its arguments and environment are too long',
});

/**
 * The plain words for a system error.
 * @param {unknown} error
 */
function systemReason(error) {
  return SYSTEM_REASONS[codeOf(error)] ?? messageOf(error);
}

module.exports = { errors, codeOf, messageOf, systemReason };
