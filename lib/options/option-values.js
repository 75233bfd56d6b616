'use strict';

const { errors } = require('../base/errors');
const { nearest } = require('../base/nearest');
const { parseMicroseconds } = require('../base/units');

/**
 * Values of options: what each type allows, in words and in checks. Pure.
 *
 * @typedef {object} Option
 * @property {'time' | 'seconds' | 'percent' | 'signal' | 'choice' | 'boolean' | 'integer' | 'path'} type
 * @property {string | number | boolean | null} default
 * @property {string} [flag]      long name on the command line, if it is there; a boolean's flag turns it off
 * @property {string} [short]     short name on the command line
 * @property {string} [operand]   the operand's name in `--help`
 * @property {string} env         environment variable
 * @property {string} help        one line
 * @property {number} [min]
 * @property {number} [max]
 * @property {boolean} [isPowerOfTwo]
 * @property {string[]} [choices] what this version has
 */

/**
 * Signals that can be caught and that nobody else needs: not those of faults, of the end of a program, of children and
 * terminals, nor SIGUSR1, which starts Node's inspector.
 */
const SIGNALS = ['auto', 'SIGPROF', 'SIGALRM', 'SIGIO', 'SIGURG', 'SIGUSR2', 'SIGVTALRM'];
const REAL_TIME_SIGNAL = /^SIGRTMIN\+(\d|[12]\d)$/;

/**
 * What is allowed, in words.
 * @param {Option} option
 */
function allowedText(option) {
  switch (option.type) {
    case 'time':
      return `'auto' or a time from ${option.min} µs to ${Number(option.max) / 1e6} s`;
    case 'seconds':
      return `a time from ${option.min} s to ${option.max} s`;
    case 'percent':
      return `a percentage from ${option.min} to ${option.max}`;
    case 'signal':
      return `one of ${SIGNALS.map((name) => `'${name}'`).join(', ')}, 'SIGRTMIN+0' to 'SIGRTMIN+29'`;
    case 'choice':
      return `one of ${/** @type {string[]} */ (option.choices).map((c) => `'${c}'`).join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `${option.isPowerOfTwo ? 'a power of two' : 'an integer'} from ${option.min} to ${option.max}`;
    case 'path':
      return 'the path of a folder';
  }
}

/**
 * @param {Option} option
 * @param {string} label how the user calls it
 * @param {unknown} value
 */
function checkChoice(option, label, value) {
  const choices = /** @type {string[]} */ (option.choices);
  if (typeof value !== 'string') throw errors.optionType(label, value, allowedText(option));
  if (choices.includes(value)) return value;
  throw errors.optionRange(label, value, allowedText(option), nearest(value, choices));
}

/**
 * @param {Option} option
 * @param {string} label
 * @param {unknown} value
 */
function checkSignal(option, label, value) {
  if (typeof value !== 'string') throw errors.optionType(label, value, allowedText(option));
  if (SIGNALS.includes(value) || REAL_TIME_SIGNAL.test(value)) return value;
  throw errors.optionRange(label, value, allowedText(option), nearest(value, SIGNALS));
}

/**
 * @param {Option} option
 * @param {string} label
 * @param {unknown} value
 * @param {unknown} given as the user wrote it
 */
function checkNumber(option, label, value, given) {
  if (typeof value !== 'number') throw errors.optionType(label, value, allowedText(option));
  const isIntegral = option.type !== 'integer' || Number.isInteger(value);
  const isPower = !option.isPowerOfTwo || Number.isInteger(Math.log2(value));
  const isInRange = value >= Number(option.min) && value <= Number(option.max);
  if (!isIntegral || !isInRange || !isPower) throw errors.optionRange(label, given, allowedText(option));
  return value;
}

/**
 * Checks one value as JavaScript gives it.
 * @param {Option} option
 * @param {string} label
 * @param {unknown} value
 * @param {unknown} [given] as the user wrote it, if that was something else
 * @returns {string | number | boolean}
 * @throws {TypeError | RangeError} `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE`
 */
function checkValue(option, label, value, given = value) {
  switch (option.type) {
    case 'time':
      return value === 'auto' ? value : checkNumber(option, label, value, given);
    case 'integer':
    case 'seconds':
    case 'percent':
      return checkNumber(option, label, value, given);
    case 'signal':
      return checkSignal(option, label, value);
    case 'choice':
      return checkChoice(option, label, value);
    case 'boolean':
      if (typeof value !== 'boolean') throw errors.optionType(label, value, allowedText(option));
      return value;
    case 'path':
      if (typeof value !== 'string' || value === '') {
        throw errors.optionType(label, value, allowedText(option));
      }
      return value;
  }
}

/**
 * Reads and checks one value as text.
 * @param {Option} option
 * @param {string} label
 * @param {string} text
 * @returns {string | number | boolean}
 * @throws as `checkValue`
 */
function parseValue(option, label, text) {
  /** @type {unknown} */
  let value = text;
  if (option.type === 'time' && text !== 'auto') {
    value = parseMicroseconds(text);
  } else if (option.type === 'seconds') {
    const us = parseMicroseconds(/[a-zµμ]\s*$/i.test(text) ? text : `${text}s`);
    value = us === null ? null : us / 1e6;
  } else if (option.type === 'integer') {
    value = /^\d+$/.test(text) ? Number(text) : null;
  } else if (option.type === 'percent') {
    const match = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text);
    value = match === null ? null : Number(match[1]);
  } else if (option.type === 'boolean') {
    value = { 1: true, true: true, 0: false, false: false }[text] ?? null;
  }
  if (value === null) throw errors.optionRange(label, text, allowedText(option));
  return checkValue(option, label, value, text);
}

module.exports = { allowedText, checkValue, parseValue };
