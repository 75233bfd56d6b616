'use strict';

/** `npm run fix`: mends what `npm run check` finds and a tool can mend. */

const { packageBin, projectFiles, requireTool, run } = require('./tools');

require('./gates/option-docs').writeOptionDocs();
requireTool('clang-format');
const files = projectFiles('native/*.h', 'native/*.cc', 'test/*.h', 'test/*.cc', 'bench/*.h', 'bench/*.cc');
const status = [
  run(packageBin('biome'), ['check', '--write', '.']),
  files.length === 0 ? 0 : run('clang-format', ['-i', ...files]),
];
process.exitCode = Math.max(...status);
