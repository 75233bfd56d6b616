'use strict';

// Prints what a recorded program can see of its recorder.

process.stdout.write(
  JSON.stringify({
    events: process.eventNames(),
    globals: Object.keys(globalThis),
    argv: process.argv.slice(2),
    execArgv: process.execArgv,
    handles: process.getActiveResourcesInfo().filter((name) => !/TTY|Pipe|FS/.test(name)),
  }),
);
