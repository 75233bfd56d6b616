'use strict';

/** Places in collapsed stacks, where a blank ends the name and a semicolon the frame: both are written as in URLs. */

/** What `decodePlace` gives back. @param {string} place */
function encodePlace(place) {
  return place
    .replace(/%(?=20|25|3B|0A|0D)/g, '%25')
    .replace(/[ ;\n\r]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** @param {string} text */
function decodePlace(text) {
  return text.replace(/%(20|25|3B|0A|0D)/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
}

module.exports = { encodePlace, decodePlace };
