'use strict';

const { errors } = require('../base/errors');

/**
 * Which of a recording's blocks are the one asked for, or lie within it. Pure.
 * @param {import('../../binding').NativeRecording} recording
 * @param {string} [block] `track/name`, or a name
 * @param {string} [track]
 * @returns {boolean[]} by the number that `sampleBlocks` has for a block
 */
function blocksWithin({ blocks }, block, track) {
  for (const [option, given] of Object.entries({ block, track })) {
    if (given !== undefined && typeof given !== 'string') throw errors.optionType(option, given, 'a string');
  }
  const isWithin = [false];
  for (const { track: ownTrack, block: name, parent } of blocks) {
    const isBlock = block === undefined || block === name || block === `${ownTrack}/${name}`;
    isWithin.push(isWithin[parent] || (isBlock && (track === undefined || track === ownTrack)));
  }
  return isWithin;
}

module.exports = { blocksWithin };
