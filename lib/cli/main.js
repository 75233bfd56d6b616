#!/usr/bin/env node
'use strict';

const { run } = require('./run');

// Not process.exit(): what is still being written to a pipe would be lost.
run(process.argv.slice(2), process).then((status) => {
  process.exitCode = status;
});
