'use strict';

/**
 * The lines of what transpilers compile in memory are those of the author's file: CommonJS and modules, also where the program is
 * killed, with the loaders that most programs use (those of Jest and Vitest: memory-maps.test.js).
 */

const fs = require('node:fs');
const path = require('node:path');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const MAJOR = Number.parseInt(process.versions.node, 10);
/** The function is on this line, and on another one of what each of the loaders compiles. */
const LINE = 9;
const PROGRAM = `interface A { a: number }
interface B { b: number }
enum Kind { Up, Down }
type D = A & {
  d: string;
};


export function hotFunction(ms: number): D | number {
  const end = Date.now() + ms;
  let n: number = Kind.Up;
  while (Date.now() < end) n += Math.sqrt(n);
  return n;
}

hotFunction(300);
process.kill(process.pid, 'SIGKILL');
`;
/** Types that can be replaced by blanks. */
const ERASABLE = PROGRAM.replace('enum Kind { Up, Down }', 'const Kind = { Up: 0 };');
/** Comments and blanks are left out, and what is left stands on one line. */
const COMPACT = `/*
${' *\n'.repeat(LINE - 3)} */
function hotFunction(ms) {
  const end = Date.now() + ms;
  while (Date.now() < end);
}
hotFunction(300);
process.kill(process.pid, 'SIGKILL');
`;

/** @param {string} text */
const asCommonJs = (text) => text.replace('export ', '');

const OPTIONS = { module: 'nodenext', moduleResolution: 'nodenext', target: 'es2022', sourceMap: true };
for (const [name, text] of Object.entries({
  'tsconfig.json': JSON.stringify({ compilerOptions: OPTIONS, 'ts-node': { transpileOnly: true } }),
  'app.cts': asCommonJs(PROGRAM),
  'app.mts': PROGRAM,
  'app.ts': PROGRAM,
  'erasable.cts': asCommonJs(ERASABLE),
  'erasable.mts': ERASABLE,
  'compact.js': COMPACT,
  'babel.js': "require('@babel/register')({ compact: true, cache: false, only: [/compact/] });",
  'own-babel.js': "require('./babel.js'); require('./compact.js');",
  'own-tsx.js': "require('tsx/cjs'); require('./app.ts');",
}))
  fs.writeFileSync(path.join(folder, name), text);
fs.symlinkSync(path.join(__dirname, '..', '..', 'node_modules'), path.join(folder, 'node_modules'));

const TRANSFORM = '--experimental-transform-types';
const STRIP = '--experimental-strip-types';
/** @type {[string, string[], [number, number]?][]} name, command, the major versions of Node.js that can */
const LOADERS = [
  ['tsx', ['node_modules/tsx/dist/cli.mjs', 'app.cts']],
  ['tsx, a module', ['--import', 'tsx', 'app.mts'], [20, 99]],
  ['tsx, required by the program', ['own-tsx.js']],
  ['ts-node', ['-r', 'ts-node/register', 'app.cts']],
  ['ts-node, a module', ['--loader', 'ts-node/esm', 'app.mts']],
  ['swc-node', ['-r', '@swc-node/register', 'app.cts']],
  ['swc-node, a module', ['--import', '@swc-node/register/esm-register', 'app.mts'], [20, 99]],
  ['@babel/register', ['-r', './babel.js', 'compact.js']],
  ['@babel/register, required by the program', ['own-babel.js']],
  ['transformed types', [TRANSFORM, 'app.cts'], [22, 24]],
  ['transformed types, a module', [TRANSFORM, 'app.mts'], [22, 24]],
  ['stripped types', [STRIP, 'erasable.cts'], [22, 99]],
  ['stripped types, a module', [STRIP, 'erasable.mts'], [22, 99]],
];

describe.each(LOADERS)('%s', (_, command, [from, to] = [18, 99]) => {
  const isRun = MAJOR >= from && MAJOR <= to;
  const name = `the line is the file's, though the program is killed${isRun ? '' : ` (NOT RUN: it needs Node.js ${from} to ${to})`}`;
  (isRun ? test : test.skip)(name, () => {
    const output = fs.mkdtempSync(path.join(folder, 'output-'));
    const args = ['-q', '-r', '1000', '-o', path.join(output, 'x.cpuprofile'), process.execPath, '--no-warnings'];
    const { status, stderr } = runCli([...args, ...command], { cwd: folder });
    expect({ status, stderr }).toMatchObject({ status: 137 });
    const logs = fs.readdirSync(output).filter((file) => file.endsWith('.spprof'));
    const functions = logs.flatMap(
      (log) => JSON.parse(runCli(['report', '--json', path.join(output, log)], { cwd: folder }).stdout).functions,
    );
    const places = functions
      .filter((/** @type {any} */ { functionName }) => functionName === 'hotFunction')
      .map((/** @type {any} */ { url, line }) => `${path.basename(url)}:${line}`);
    expect(places).not.toEqual([]);
    for (const place of places) expect(place).toMatch(new RegExp(`^(app|erasable|compact)\\.[cm]?[jt]s:${LINE}$`));
  });
});
