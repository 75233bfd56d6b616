'use strict';

const { formatPercent } = require('../../base/units');
const { callerIn } = require('../evidence');
const { placesText } = require('../words');

/** Property accesses that meet objects of so many shapes that V8 looks each one up. */

/** The inline caches' last state, as V8's builtins are called. */
const MEGAMORPHIC = /^(Keyed|Define\w*)?(Load|Store|Has)\w*IC\w*_?Megamorphic/;

/** Of the time, from which on a line is worth a change; many lines with a little each are how the program is. */
const LEAST_LINE = 0.03;

/** @type {import('../rule').Rule} */
const MEGAMORPHIC_ACCESS = {
  id: 'megamorphic',
  threshold: LEAST_LINE,
  condition: 'of the time is spent at one line in looking up properties of objects of many shapes',
  advice:
    'Create the objects that reach this line in one way: the same properties in the same order, by one constructor or literal; use a Map where the keys are data.',
  find(evidence) {
    const all = evidence.tally((path) => (evidence.isOnTop(path, MEGAMORPHIC) ? callerIn(path) : undefined));
    const places = all.places.filter(({ ns }) => ns >= LEAST_LINE * evidence.ns);
    const ns = places.reduce((sum, place) => sum + place.ns, 0);
    const samples = places.reduce((sum, place) => sum + place.samples, 0);
    return {
      ...{ ns, samples, frame: places[0]?.frame ?? null },
      text: (folder) => {
        const where = placesText(places, { all: evidence.ns, ns, folder });
        return `${formatPercent(ns, evidence.ns)} of the time is spent in looking up properties of objects of many shapes (megamorphic accesses), at ${where}`;
      },
    };
  },
};

module.exports = { rule: MEGAMORPHIC_ACCESS };
