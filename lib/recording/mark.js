'use strict';

const { errors, messageOf } = require('../base/errors');

/** Bytes of UTF-8 that a mark's name, and its detail as JSON, may have. What is within is kept whole. */
const MAX_NAME_BYTES = 65_536;
const MAX_DETAIL_BYTES = 900_000;

/**
 * @param {string} what
 * @param {string} text
 * @param {number} limit
 */
function checkLength(what, text, limit) {
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) throw errors.tooLarge(what, bytes, limit);
}

/** @param {unknown} detail @returns {string} JSON, or '' */
function toJson(detail) {
  if (detail === undefined) return '';
  let json;
  try {
    json = JSON.stringify(detail);
  } catch (error) {
    throw errors.optionType('detail', detail, `something that JSON can hold (${messageOf(error)})`);
  }
  if (json === undefined) throw errors.optionType('detail', detail, 'something that JSON can hold');
  return json;
}

/**
 * Checks what `mark()` was given; documented in `index.d.ts`.
 * @param {unknown} name
 * @param {unknown} settings
 * @returns {{ name: string, detail: string }} the detail as JSON, or ''
 * @throws {Error} `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_TOO_LARGE`
 */
function checkMark(name, settings = {}) {
  if (typeof name !== 'string' || name === '') throw errors.optionType('name', name, 'a string that is not empty');
  if (typeof settings !== 'object' || settings === null) throw errors.optionType('settings', settings, 'an object');
  const detail = toJson(/** @type {{ detail?: unknown }} */ (settings).detail);
  checkLength('the name of a mark', name, MAX_NAME_BYTES);
  checkLength('the detail of a mark, as JSON,', detail, MAX_DETAIL_BYTES);
  return { name, detail };
}

/**
 * A mark's detail out of a recording; the text itself where that is damaged.
 * @param {string} json
 * @returns {unknown}
 */
function detailOf(json) {
  if (json === '') return undefined;
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return json; // what is there of it is more than nothing
    throw error;
  }
}

module.exports = { checkMark, detailOf, MAX_NAME_BYTES, MAX_DETAIL_BYTES };
