'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const ts = require('typescript');
const { applySourceMaps } = require('../../lib/places/source-maps');
const { js } = require('../helpers/recording');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();

const SOURCE = `interface Work { rounds: number }

type Unused = string;

function heavyWork(work: Work): number {
  let sum = 0;
  for (let i = 0; i < work.rounds; i++) sum = (sum * 31 + i) % 1000003;
  return sum;
}
const end = Date.now() + 400;
while (Date.now() < end) heavyWork({ rounds: 100000 });
`;

/** @param {string} name @param {ts.CompilerOptions} maps */
function compile(name, maps) {
  const { outputText, sourceMapText } = ts.transpileModule(SOURCE, {
    fileName: `${name}.ts`,
    compilerOptions: { target: ts.ScriptTarget.ES2022, ...maps },
  });
  fs.writeFileSync(path.join(folder, `${name}.js`), outputText);
  if (sourceMapText !== undefined) fs.writeFileSync(path.join(folder, `${name}.js.map`), sourceMapText);
}

/** @param {string} name @param {string} text @param {string} functionName */
function frameOf(name, text, functionName) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  const column = text.indexOf('(') + 1;
  return js(functionName, { url: file, line: 1, column, sourceLength: text.length });
}

/** @param {object} map */
function inline(map) {
  return `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}\n`;
}

/** @param {any[]} nodes of a .cpuprofile @param {string} functionName */
function hottestLine(nodes, functionName) {
  const ticks = new Map();
  for (const { callFrame, positionTicks } of nodes) {
    if (callFrame.functionName !== functionName) continue;
    for (const { line, ticks: more } of positionTicks ?? []) ticks.set(line, (ticks.get(line) ?? 0) + more);
  }
  return [...ticks].sort((a, b) => b[1] - a[1])[0]?.[0];
}

// `function a(){}`: the token `a` is line 5, column 3 of the source, and was called `original` there.
const MAP = { version: 3, sources: ['webpack://app/./src/x.ts'], names: ['original'], mappings: 'SAIGA' };

test.each(['', '\uFEFF', ")]}'\n", "\uFEFF)]}' of a server\n"])('a map with %j before its JSON is read', (before) => {
  fs.writeFileSync(path.join(folder, 'before.js.map'), before + JSON.stringify(MAP));
  const frames = [frameOf('before.js', 'function a(){}\n//# sourceMappingURL=before.js.map\n', 'a')];
  expect(applySourceMaps(frames)).toEqual([]);
  expect(frames[0]).toMatchObject({ functionName: 'original', line: 5 });
});

test.each([
  ['inline', { inlineSourceMap: true }],
  ['external', { sourceMap: true }],
])('TypeScript with an %s map is shown by its own file and line in every format', (name, maps) => {
  compile(name, maps);
  const outputs = ['cpuprofile', 'collapsed'].flatMap((format) => ['-o', `${name}.${format}`]);
  expect(runCli([...outputs, `${name}.js`], { cwd: folder }).status).toBe(0);
  const { nodes } = JSON.parse(fs.readFileSync(path.join(folder, `${name}.cpuprofile`), 'utf8'));
  const { callFrame } = nodes.find((/** @type {any} */ node) => node.callFrame.functionName === 'heavyWork');
  expect(callFrame.url).toMatch(new RegExp(`/${name}\\.ts$`));
  expect(callFrame.lineNumber).toBe(4);
  expect(hottestLine(nodes, 'heavyWork')).toBe(7);
  expect(fs.readFileSync(path.join(folder, `${name}.collapsed`), 'utf8')).toMatch(/heavyWork/);
  expect(runCli(['report', `${name}.spprof`], { cwd: folder }).stdout).toContain(`${name}.ts:5`);
  const generated = runCli(['report', '--no-source-maps', `${name}.spprof`], { cwd: folder }).stdout;
  expect(generated).toContain(`${name}.js:`);
  expect(generated).not.toContain(`${name}.ts`);
});

test('a minified bundle of two modules is shown by their own names, files and lines', () => {
  const main =
    "import { heavyWork } from './work';\nconst end = Date.now() + 400;\nwhile (Date.now() < end) heavyWork(100000);\n";
  const work = `export function heavyWork(rounds: number): number {
  let sum = 0;
  for (let i = 0; i < rounds; i++) {
    sum = (sum * 31 + i) % 1000003;
  }
  return sum;
}
`;
  fs.writeFileSync(path.join(folder, 'main.ts'), main);
  fs.writeFileSync(path.join(folder, 'work.ts'), work);
  const bundler = [require.resolve('esbuild-wasm/bin/esbuild'), 'main.ts'];
  const options = ['--bundle', '--minify', '--platform=node', '--sourcemap', '--outfile=bundle.js'];
  const bundled = spawnSync(process.execPath, [...bundler, ...options], { cwd: folder, encoding: 'utf8' });
  expect({ status: bundled.status, stderr: bundled.stderr }).toMatchObject({ status: 0 });
  expect(fs.readFileSync(path.join(folder, 'bundle.js'), 'utf8')).not.toContain('function heavyWork');

  expect(runCli(['-o', 'bundle.cpuprofile', 'bundle.js'], { cwd: folder }).status).toBe(0);
  const { nodes } = JSON.parse(fs.readFileSync(path.join(folder, 'bundle.cpuprofile'), 'utf8'));
  const { callFrame } = nodes.find((/** @type {any} */ node) => node.callFrame.functionName === 'heavyWork');
  expect(callFrame).toMatchObject({ url: expect.stringMatching(/\/work\.ts$/), lineNumber: 0 });
  expect([3, 4]).toContain(hottestLine(nodes, 'heavyWork'));
});

test('a renamed function gets its original name, and a webpack: URL stays', () => {
  const frame = frameOf('min.js', `function a(){}\n${inline(MAP)}`, 'a');
  expect(applySourceMaps([frame])).toEqual([]);
  expect(frame).toMatchObject({ functionName: 'original', url: 'webpack://app/src/x.ts', line: 5, column: 4 });
});

test('a name that the map does not put at the function is not taken', () => {
  const map = { ...MAP, mappings: 'AAIGA' };
  const frame = frameOf('near.js', `function a(){}\n${inline(map)}`, 'a');
  applySourceMaps([frame]);
  expect(frame).toMatchObject({ functionName: 'a', line: 5 });
});

test('sectioned maps and sourceRoot', () => {
  const map = { ...MAP, sources: ['x.ts'], sourceRoot: 'src' };
  const sections = { version: 3, sections: [{ offset: { line: 0, column: 0 }, map }] };
  const frame = frameOf('parts.js', `function a(){}\n${inline(sections)}`, 'a');
  applySourceMaps([frame]);
  expect(frame).toMatchObject({ functionName: 'original', url: path.join(folder, 'src/x.ts'), line: 5 });
});

test.each([
  ['missing', '//# sourceMappingURL=gone.js.map\n'],
  ['broken', '//# sourceMappingURL=data:application/json,{oops\n'],
])('a %s map is told once, and the generated position stays', (name, comment) => {
  const frame = frameOf(`${name}.js`, `function a(){}\n${comment}`, 'a');
  const again = { ...frame };
  const problems = applySourceMaps([frame, again]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`${name}.js is not used: `);
  expect(frame).toMatchObject({ functionName: 'a', url: path.join(folder, `${name}.js`), line: 1 });
});

test.each([
  ['far behind', { line: 1e12, column: 0 }],
  ['endlessly behind', { line: Infinity, column: 0 }],
  ['before', { line: -1, column: 0 }],
  ['nowhere in', { line: [], column: null }],
])('a map with a section that begins %s the script is not read', (name, offset) => {
  const parts = JSON.stringify({ version: 3, sections: [{ offset, map: MAP }] }).replace('null', '1e999');
  const url = `data:application/json,${encodeURIComponent(parts)}`;
  const frame = frameOf(`${name}.js`, `function a(){}\n//# sourceMappingURL=${url}\n`, 'a');
  expect(applySourceMaps([frame])).toEqual([expect.stringContaining('begins outside of the script')]);
  expect(frame).toMatchObject({ functionName: 'a', line: 1 });
});

test('a map that is damaged in its mappings does not keep the others from being used', () => {
  const noSource = frameOf('no-source.js', `function a(){}\n${inline({ ...MAP, sources: [] })}`, 'a');
  const noText = frameOf('no-text.js', `function a(){}\n${inline({ ...MAP, mappings: [[[9, 9]], 5] })}`, 'a');
  const good = frameOf('good.js', `function a(){}\n${inline(MAP)}`, 'a');
  expect(() => applySourceMaps([noSource, noText, good])).not.toThrow();
  expect(noSource).toMatchObject({ functionName: 'a', line: 1 });
  expect(good).toMatchObject({ functionName: 'original' });
});

test('bad settings of a verb are told: recover takes no --no-source-maps', () => {
  const run = runCli(['recover', '--no-source-maps', folder], { cwd: folder });
  expect(run.status).not.toBe(0);
  expect(run.stderr).toContain('--no-source-maps');
});

test('a script that has changed since it was compiled is not mapped, and has no line', () => {
  const frame = { ...frameOf('stale.js', `function a(){}\n${inline(MAP)}`, 'a'), sourceLength: 3, sampledLine: 1 };
  expect(applySourceMaps([frame])).toEqual([]);
  expect(frame).toMatchObject({ functionName: 'a', line: 0, column: 0, sampledLine: 0, sampledColumn: 0 });
});

test('what V8 compiled of a file, with something around it, keeps its lines', () => {
  const file = path.join(folder, 'around.ts');
  const text = `\ufeff#!/usr/bin/env node\n'ü';\nfunction a(){}\n`;
  fs.writeFileSync(file, text);
  const shebang = text.indexOf('\n') - 1;
  const lengths = {
    'as it is': text.length,
    'without byte order mark': text.length - 1,
    'types stripped, by path': text.length - 1 + `\n\n//# sourceURL=${file}`.length,
    'types stripped, by URL': text.length - 1 + `\n\n//# sourceURL=${pathToFileURL(file).href}`.length,
    'Module.wrap()': text.length - 1 + Module.wrap('').length,
    'Module.wrap() without the first line': text.length - 1 - shebang + Module.wrap('').length,
  };
  for (const [how, sourceLength] of Object.entries(lengths)) {
    const frame = js('a', { url: file, line: 3, column: 11, sourceLength });
    applySourceMaps([frame]);
    expect([how, frame.line, frame.column]).toEqual([how, 3, 11]);
  }
});

test("a map of a script that was wrapped is looked into at the file's own columns", () => {
  const text = `function a(){}\n${inline(MAP)}`;
  const [before, after] = ['(function (exports, require, module, __filename, __dirname) { ', '\n});'];
  expect(before + after).toBe(Module.wrap(''));
  const plain = frameOf('wrapped.js', text, 'a');
  const wrapped = {
    ...plain,
    column: plain.column + before.length,
    sourceLength: text.length + Module.wrap('').length,
  };
  applySourceMaps([plain, wrapped]);
  expect(plain).toMatchObject({ functionName: 'original', line: 5 });
  expect(wrapped).toEqual({ ...plain, sourceLength: wrapped.sourceLength });
});

/** A hook as ts-node, @swc-node/register and others are: what it compiles has fewer lines than the file. */
const HOOK = `const fs = require('fs');
require.extensions['.ts'] = (module, file) => {
  const kept = fs.readFileSync(file, 'utf8').split('\\n').filter((line) => !/^(interface|type)/.test(line));
  module._compile(kept.join('\\n').replace(/: (number|Work)/g, ''), file);
};
`;

test('of code that a hook makes in memory no generated line is shown as one of the file', () => {
  fs.writeFileSync(path.join(folder, 'hooked.ts'), SOURCE);
  fs.writeFileSync(path.join(folder, 'hook.js'), HOOK);
  const run = runCli(['-q', '-o', 'hooked.cpuprofile', 'node', '-r', './hook.js', 'hooked.ts'], { cwd: folder });
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  const { nodes } = JSON.parse(fs.readFileSync(path.join(folder, 'hooked.cpuprofile'), 'utf8'));
  const { callFrame } = nodes.find((/** @type {any} */ node) => node.callFrame.functionName === 'heavyWork');
  expect(callFrame).toMatchObject({ url: expect.stringMatching(/\/hooked\.ts$/), lineNumber: -1 });
  expect(hottestLine(nodes, 'heavyWork')).toBeUndefined();
});

describe('source maps that cannot be used', () => {
  const busy = 'const end = Date.now() + 200;\nfunction spin() { while (Date.now() < end); }\nspin();\n';
  const comment = '//# sourceMappingURL=gone.js.map\n';

  test('of dependencies are spoken of on demand alone', () => {
    fs.mkdirSync(path.join(folder, 'node_modules/dependency'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'node_modules/dependency/index.js'), busy + comment);
    fs.writeFileSync(path.join(folder, 'uses.js'), "require('dependency');\n");
    const run = runCli(['-o', 'uses.cpuprofile', 'uses.js'], { cwd: folder });
    expect(run.stderr).not.toMatch(/source map/);
    const asked = runCli(['report', '--verbose', 'uses.spprof'], { cwd: folder });
    expect(asked.stderr).toMatch(/the source map of .*dependency\/index\.js is not used: ENOENT/);
    expect(runCli(['report', 'uses.spprof'], { cwd: folder }).stderr).toBe('');
  });

  test('of the program itself take one line, with --quiet none', () => {
    fs.writeFileSync(path.join(folder, 'own.js'), busy + comment);
    const run = runCli(['-o', 'own.cpuprofile', 'own.js'], { cwd: folder });
    expect(run.stderr.match(/.*source map.*/g)).toEqual([
      'spprof: 1 source map cannot be used (--verbose says which, and why)',
    ]);
    expect(runCli(['-q', '-o', 'own.cpuprofile', 'own.js'], { cwd: folder }).stderr).toBe('');
  });
});
