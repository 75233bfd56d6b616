'use strict';

/**
 * The preload: `node --require spprof/register app.js`, or `spprof node app.js`, which sets NODE_OPTIONS. Whatever has that in its
 * environment loads this file, so it is written for every version of Node.js, and for Deno and Bun, which read NODE_OPTIONS too:
 * what cannot be recorded runs as if this file were empty.
 */

if (!process.versions.deno && !process.versions.bun && Number.parseInt(process.versions.node, 10) >= 18) {
  try {
    require('./processes/register-process');
    // biome-ignore lint/correctness/noUnusedVariables: Node.js before 10 knows no catch without a name
  } catch (error) {
    // The rest of spprof cannot be read here (a permission model, another user): this process runs unrecorded.
  }
}
