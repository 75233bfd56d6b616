'use strict';

const { formatPercent } = require('../../base/units');
const { callerIn } = require('../evidence');
const { placesText } = require('../words');

/** JSON.parse and JSON.stringify, with the collections that they set off, and who calls them. What revivers and toJSON() do is not theirs. */

const PARSE = /^v8::internal::(\{anonymous\}::)?(Builtin_(Impl_)?JsonParse|JsonParser|JsonParseInternalizer)(::|$)/;
const STRINGIFY =
  /^v8::internal::(\{anonymous\}::)?(Builtin_(Impl_)?JsonStringify|JsonStringify|(Fast)?JsonStringifier)(::|$)/;

/** @type {import('../rule').Rule} */
const JSON_TEXT = {
  id: 'json',
  threshold: 0.1,
  condition: 'of the time is spent in `JSON.parse` and `JSON.stringify`',
  advice:
    'Convert each value once and keep the result; send less of it (only the fields that are read); or use a serializer that knows the schema.',
  find(evidence) {
    const [parsing, writing] = [PARSE, STRINGIFY].map((pattern) =>
      evidence.tally((path) => (evidence.isOnTop(path, pattern) ? callerIn(path) : undefined)),
    );
    const both = evidence.tally((path) =>
      evidence.isOnTop(path, PARSE) || evidence.isOnTop(path, STRINGIFY) ? callerIn(path) : undefined,
    );
    return {
      ...{ ns: both.ns, samples: both.samples, frame: both.places[0]?.frame ?? null },
      text: (folder) => {
        const parts = [
          ...(parsing.ns > 0 ? [`${formatPercent(parsing.ns, evidence.ns)} of the time is spent in JSON.parse`] : []),
          ...(writing.ns > 0 ? [`${formatPercent(writing.ns, evidence.ns)} in JSON.stringify`] : []),
        ];
        const callers = placesText(both.places, { all: evidence.ns, ns: both.ns, folder });
        const what = parsing.ns > 0 ? parts.join(' and ') : parts.join('').replace(' in ', ' of the time is spent in ');
        return callers === '' ? what : `${what}, called by ${callers}`;
      },
    };
  },
};

module.exports = { rule: JSON_TEXT };
