'use strict';

/** The rules of the advice, in the order of docs/advice.md. @type {import('./rule').Rule[]} */
const RULES = [
  require('./rules/json').rule,
  require('./rules/megamorphic').rule,
  require('./rules/deoptimization').rule,
  require('./rules/collection').rule,
  require('./rules/blocking').rule,
  require('./rules/pool').rule,
  require('./rules/loading').rule,
  require('./rules/regexp').rule,
  require('./rules/source-maps').rule,
];

module.exports = { RULES };
