'use strict';

const path = require('node:path');
const { readProfile } = require('../../lib/index');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const PROGRAM = path.join(__dirname, '..', 'programs', 'large-wasm.js');
const folder = temporaryFolder();

test('the functions of a large WebAssembly module have their names', async () => {
  expect(runCli(['-r', '1000', '-o', 'large.spprof', PROGRAM, '1500'], { cwd: folder })).toMatchObject({ status: 0 });
  const { functions } = await readProfile(path.join(folder, 'large.spprof'));
  /** @param {RegExp} pattern */
  const timeOf = (pattern) =>
    functions.filter(({ functionName }) => pattern.test(functionName)).reduce((sum, { selfNs }) => sum + selfNs, 0);
  // Until the drain has looked into the module, what runs is that module's, and no more is known.
  const unnamed = timeOf(/^\(wasm\)$/);
  const named = timeOf(/^ns::Class\d+::method_199\d\d\(int\)$/);
  expect(timeOf(/^wasm-function/)).toBe(0);
  expect(named / (named + unnamed)).toBeGreaterThan(0.7);
});
