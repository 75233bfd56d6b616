'use strict';

/** Lines of code that a program compiles in memory, from the maps that only the compiled text has. V8 keeps their address, and the handler copies it. */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { applySourceMaps } = require('../../lib/places/source-maps');
const { js } = require('../helpers/recording');
const { cleanEnvironment, runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();

/** The function is on line 6, and on line 2 of what is compiled. */
const SOURCE = `interface A { a: number }
interface B { b: number }
interface C { c: number }
interface D { d: number }

function hotFunction(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}
`;
const CALL = 'hotFunction(300);\n';

/** Erases lines, and leaves a map in the text: what ts-node, tsx, swc, esbuild and Babel do. */
const COMPILER = `
const vlq = (n) => { let v = n < 0 ? (-n << 1) | 1 : n << 1, s = ''; do { let d = v & 31; v >>>= 5; if (v) d |= 32; s += 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[d]; } while (v); return s; };
module.exports = (text, file, more = {}) => {
  const kept = text.split('\\n').map((line, i) => ({ line, i })).filter(({ line }) => !line.startsWith('interface'));
  let before = 0;
  const mappings = kept.map(({ i }) => { const s = 'AA' + vlq(i - before) + 'A'; before = i; return s; }).join(';');
  const map = Buffer.from(JSON.stringify({ version: 3, sources: [file], names: [], mappings, ...more })).toString('base64');
  return kept.map(({ line }) => line).join('\\n') + '\\n//# sourceMappingURL=data:application/json;base64,' + map;
};
`;
const HOOK = `const compile = require('./compiler'), fs = require('fs');
require.extensions['.ts'] = (module, file) => {
  module._compile(compile(fs.readFileSync(file, 'utf8'), file, JSON.parse(process.env.MORE ?? '{}')), file);
};
`;

fs.writeFileSync(path.join(folder, 'compiler.js'), COMPILER);
fs.writeFileSync(path.join(folder, 'hook.js'), HOOK);
fs.writeFileSync(path.join(folder, 'app.ts'), SOURCE + CALL);

/** Where the function is, in all recordings of a run. @param {string} name of the output */
function placesOf(name) {
  const logs = fs.readdirSync(folder).filter((file) => file.startsWith(`${name}.`) && file.endsWith('.spprof'));
  const functions = logs.flatMap(
    (log) => JSON.parse(runCli(['report', '--json', log], { cwd: folder }).stdout).functions,
  );
  return functions
    .filter((/** @type {any} */ { functionName }) => functionName === 'hotFunction')
    .map((/** @type {any} */ { url, line }) => `${path.basename(url)}:${line}`);
}

/** @param {string} name @param {string[]} command @param {Record<string, string>} [env] */
function record(name, command, env = {}) {
  return runCli(['-q', '-r', '1000', '-o', `${name}.cpuprofile`, ...command], { cwd: folder, env });
}

test('a hook for CommonJS', () => {
  expect(record('hook', ['node', '-r', './hook.js', 'app.ts']).status).toBe(0);
  expect(placesOf('hook')).toEqual(['app.ts:6']);
});

test('the function is gone at the end, or the program is killed', () => {
  const gone = `${SOURCE + CALL}hotFunction = null; module.children = []; setImmediate(() => gc());\n`;
  fs.writeFileSync(path.join(folder, 'gone.ts'), gone);
  expect(record('gone', ['node', '--expose-gc', '-r', './hook.js', 'gone.ts']).status).toBe(0);
  expect(placesOf('gone')).toEqual(['gone.ts:6']);
  fs.writeFileSync(path.join(folder, 'killed.ts'), `${SOURCE + CALL}process.kill(process.pid, 'SIGKILL');\n`);
  expect(record('killed', ['node', '-r', './hook.js', 'killed.ts']).status).toBe(137);
  expect(placesOf('killed')).toEqual(['killed.ts:6']);
});

test('a map that is longer than what one sample may write, and that says something in another script', () => {
  const MORE = JSON.stringify({ names: ['ü€😀'.repeat(20_000)], sourcesContent: ['x'.repeat(400_000)] });
  fs.writeFileSync(path.join(folder, 'large.js'), `process.env.MORE = ${JSON.stringify(MORE)};\n`);
  expect(record('large', ['node', '-r', './large.js', '-r', './hook.js', 'app.ts']).status).toBe(0);
  expect(placesOf('large')).toEqual(['app.ts:6']);
});

test('a loader of modules', () => {
  const loader = `
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import compile from './compiler.js';
export async function load(url, context, next) {
  if (!url.endsWith('.mts')) return next(url, context);
  const file = fileURLToPath(url);
  return { format: 'module', shortCircuit: true, source: compile(readFileSync(file, 'utf8'), file) };
}
`;
  fs.writeFileSync(path.join(folder, 'loader.mjs'), loader);
  fs.writeFileSync(path.join(folder, 'app.mts'), `${SOURCE}export const keep = hotFunction;\n${CALL}`);
  expect(record('module', ['node', '--no-warnings', '--loader', './loader.mjs', 'app.mts']).status).toBe(0);
  expect(placesOf('module')).toEqual(['app.mts:6']);
});

test("Jest's transformers", () => {
  const transformer = `const compile = require('./compiler');
module.exports = { process: (text, file) => ({ code: compile(text, file) }) };
`;
  fs.mkdirSync(path.join(folder, 'jest'));
  fs.writeFileSync(path.join(folder, 'transformer.js'), transformer);
  fs.writeFileSync(path.join(folder, 'jest/a.test.ts'), `${SOURCE}test('a', () => { ${CALL.trim()} });\n`);
  const config = {
    ...{
      rootDir: path.join(folder, 'jest'),
      testRegex: 'test.ts$',
      transform: { '\\.ts$': path.join(folder, 'transformer.js') },
    },
    cacheDirectory: path.join(folder, 'cache'),
  };
  const jest = path.join(path.dirname(require.resolve('jest/package.json')), 'bin/jest.js');
  const run = record('jest', ['node', jest, '-i', '--config', JSON.stringify(config)]);
  expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 0 });
  expect(placesOf('jest')).toEqual(['a.test.ts:6']);
});

test('Vitest, which ends its workers by a signal', () => {
  fs.mkdirSync(path.join(folder, 'vitest'));
  const text = `import { test } from 'vitest';\n${SOURCE.replace('(ms)', '(ms: number)')}test('a', () => { ${CALL.trim()} });\n`;
  fs.writeFileSync(path.join(folder, 'vitest/a.test.ts'), text);
  const vitest = path.join(path.dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
  const run = record('vitest', ['node', vitest, 'run', `--root=${path.join(folder, 'vitest')}`], { CI: 'true' });
  expect({ status: run.status, stdout: run.stdout, stderr: run.stderr }).toMatchObject({ status: 0 });
  expect([...new Set(placesOf('vitest'))]).toEqual(['a.test.ts:7']);
});

test('a hook that the program registers itself, and a recording that it starts itself', () => {
  fs.writeFileSync(path.join(folder, 'own.js'), "require('./hook.js'); require('./app.ts');\n");
  expect(record('own', ['node', 'own.js']).status).toBe(0);
  expect(placesOf('own')).toEqual(['app.ts:6']);
  const start = `require('./hook.js'); const session = require(${JSON.stringify(path.join(__dirname, '..', '..'))}).start({ intervalUs: 1000 });
require('./app.ts');
session.stop().then(({ functions }) => console.log(functions.find(({ functionName }) => functionName === 'hotFunction').line));\n`;
  fs.writeFileSync(path.join(folder, 'start.js'), start);
  const run = spawnSync(process.execPath, ['start.js'], { cwd: folder, env: cleanEnvironment(), encoding: 'utf8' });
  expect(run).toMatchObject({ stdout: '6\n', stderr: '' });
});

test('a map that is too large is counted, and the line is unknown', () => {
  const MORE = JSON.stringify({ sourcesContent: ['x'.repeat(1 << 20)] });
  fs.writeFileSync(path.join(folder, 'too-large.js'), `process.env.MORE = ${JSON.stringify(MORE)};\n`);
  expect(record('too-large', ['node', '-r', './too-large.js', '-r', './hook.js', 'app.ts']).status).toBe(0);
  expect(placesOf('too-large')).toEqual(['app.ts:0']);
});

test.each([
  ['no JSON', '{oops'],
  ['no map', '[]'],
  ['a section far behind', JSON.stringify({ version: 3, sections: [{ offset: { line: 1e12, column: 0 }, map: {} }] })],
])('a recorded map that is %s leaves no generated line, and is spoken of once', (_, map) => {
  const url = path.join(folder, 'app.ts');
  const frames = [1, 2].map((line) => js('a', { url, line, column: 1, sourceLength: 7 }));
  const own = `data:application/json,${encodeURIComponent(map)}`;
  const problems = applySourceMaps(frames, [{ script: url, sourceLength: 7, map: own }]);
  expect(problems.length).toBeLessThanOrEqual(1);
  expect(frames.map(({ line }) => line)).toEqual([0, 0]);
});

test('a map that was not kept is spoken of where the file is not what ran, and nowhere else', () => {
  const url = path.join(folder, 'app.ts');
  const lost = [7, SOURCE.length + CALL.length].map((sourceLength) => ({ script: url, sourceLength, map: '' }));
  const frames = lost.map(({ sourceLength }) => js('a', { url, line: 6, column: 1, sourceLength }));
  expect(applySourceMaps(frames, lost)).toEqual([
    expect.stringMatching(/app\.ts is not used: it is longer than .* \(1 MB\)/),
  ]);
  expect(frames.map(({ line }) => line)).toEqual([0, 6]);
});
