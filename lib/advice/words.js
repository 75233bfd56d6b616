'use strict';

const { formatPercent } = require('../base/units');
const { displayName, frameWhere } = require('../recording/frames');

/**
 * What findings are made of: shares, and places in the program.
 *
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {import('./evidence').Place} Place
 */

/** Places that a finding names. */
const PLACES = 3;
/** Of a finding's time, from which on a place is named. */
const LEAST_PART = 0.05;

/** `parseBody (src/server.js:12)`: the line that was run, where it is known. @param {Frame} frame @param {string} [folder] */
function placeText(frame, folder) {
  const line = frame.sampledLine > 0 ? frame.sampledLine : frame.line;
  const where = frameWhere({ ...frame, line }, folder);
  return where === '' ? displayName(frame) : `${displayName(frame)} (${where})`;
}

/**
 * The places with the most time, each with its share of all of it; '' where there are none.
 * @param {Place[]} places @param {{ all: number, ns: number, folder?: string, most?: number }} settings `all`: what shares are of; `ns`: the finding's
 */
function placesText(places, { all, ns, folder, most = PLACES }) {
  return places
    .filter((place) => place.ns >= LEAST_PART * ns)
    .slice(0, most)
    .map(({ frame, ns: own }) => `${placeText(frame, folder)} ${formatPercent(own, all)}`)
    .join(', ');
}

module.exports = { placeText, placesText };
