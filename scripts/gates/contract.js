'use strict';

/** The contract between the two sides: what binding.d.ts declares is what the built addon exports. */

const fs = require('node:fs');
const path = require('node:path');
const { ROOT } = require('../tools');

/** @returns {string[]} one line a problem */
function checkContract() {
  const text = fs.readFileSync(path.join(ROOT, 'binding.d.ts'), 'utf8');
  const declared = [...text.matchAll(/^export (?:declare )?(?:function|const) (\w+)/gm)].map((match) => match[1]);
  const { loadBinding } = require(path.join(ROOT, 'lib', 'native', 'binding.js'));
  const exported = Object.keys(loadBinding());
  return [
    ...declared.filter((name) => !exported.includes(name)).map((name) => `the addon does not export ${name}`),
    ...exported.filter((name) => !declared.includes(name)).map((name) => `binding.d.ts does not declare ${name}`),
  ];
}

module.exports = { checkContract };
