'use strict';

const path = require('node:path');
const { loadBinding } = require('../../native/binding');
const { formatCount } = require('../../base/units');
const { checkEnded, foldersIn } = require('../io/input');

/**
 * `spprof recover <folder>`: moves what dead processes left in their regions into their logs. With `--dump` it prints what their
 * regions hold, and moves nothing.
 * @param {import('../arguments').RecoverRequest} request
 * @param {import('../run').Io} io
 */
async function recover(request, io) {
  for (const folder of foldersIn(path.resolve(io.cwd(), request.folder))) {
    if (request.dump) {
      io.stdout.write(`${folder}\n${loadBinding().dump(folder)}`);
      continue;
    }
    checkEnded(folder);
    const bytes = await loadBinding().recover(folder);
    const log = path.join(folder, 'log');
    io.stdout.write(`${log}: ${formatCount(bytes)} bytes recovered (spprof report ${log})\n`);
  }
  return 0;
}

module.exports = { recover };
