'use strict';

/**
 * The preload: `node --require spprof/register app.js`, or `spprof node app.js`, which sets NODE_OPTIONS. Whatever has that in its
 * environment loads this file, so it is written for every version of Node.js, and for Deno and Bun, which read NODE_OPTIONS too:
 * what cannot be recorded runs as if this file were empty.
 */

if (!process.versions.deno && !process.versions.bun && Number.parseInt(process.versions.node, 10) >= 18) {
  require('./register-process');
}
