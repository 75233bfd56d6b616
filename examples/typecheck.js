'use strict';

/**
 * Real work with a well-known package: TypeScript's compiler checks Node's own type declarations and this project's.
 * Record it with `npm run example`.
 */

const path = require('node:path');
const ts = require('typescript');

const ROOT = path.join(__dirname, '..');

const files = [path.join(ROOT, 'lib', 'index.d.ts'), path.join(ROOT, 'binding.d.ts')];
const program = ts.createProgram(files, {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  types: ['node', 'jest'],
  typeRoots: [path.join(ROOT, 'node_modules', '@types')],
  strict: true,
  noEmit: true,
});
const problems = ts.getPreEmitDiagnostics(program);
const lines = program.getSourceFiles().reduce((sum, file) => sum + file.getLineStarts().length, 0);

const { user, system } = process.cpuUsage();
process.stdout.write(
  `TypeScript ${ts.version}: ${program.getSourceFiles().length} files, ${lines} lines, ` +
    `${problems.length} problems, cpu ${((user + system) / 1000).toFixed(0)} ms\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
