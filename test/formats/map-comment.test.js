'use strict';

/** Which comment names a script's source map. V8 is asked, too. */

const vm = require('node:vm');
const { findMapReference } = require('../../lib/places/map-comment');

/** @type {[string, string, string | null][]} */
const SCRIPTS = [
  ['on a line of its own', 'f();\n//# sourceMappingURL=a.map\n', 'a.map'],
  ['behind code', 'f("http://x");//# sourceMappingURL=a.map', 'a.map'],
  ['behind code, with a line end', 'f();//# sourceMappingURL=a.map\n\n', 'a.map'],
  ['before code', '//# sourceMappingURL=a.map\nf();', 'a.map'],
  ['twice', '//# sourceMappingURL=a.map\nf();\n//# sourceMappingURL=b.map', 'b.map'],
  ['before another comment', 'f();\n//# sourceMappingURL=a.map\n//# sourceURL=x.js\n// end', 'a.map'],
  ['of the old form', 'f();\n//@ sourceMappingURL=a.map', 'a.map'],
  ['in a template', 'const t = `\n//# sourceMappingURL=data:application/json;base64,{map}`;\nf(t);', null],
  ['in a template, behind its own', '//# sourceMappingURL=a.map\nf(`\n//# sourceMappingURL={map}\n`);', 'a.map'],
  ['in a template, before its own', 'f(`\n//# sourceMappingURL={map}\n`);\n//# sourceMappingURL=a.map', 'a.map'],
  ['in a string', 'f("//# sourceMappingURL=a.map");', null],
  ['in a string that is continued', 'f("\\\n//# sourceMappingURL=a.map\\\n");', null],
  ['in a regular expression', 'f(/[//# sourceMappingURL=a]/);', null],
  ['in a comment', '/*\n//# sourceMappingURL=a.map\n*/\nf();', null],
  ['in a comment of one line', 'f(); // such as //# sourceMappingURL=a.map', null],
  ['in a comment at the end', 'f();\n/* //# sourceMappingURL=a.map */', null],
  ['with a blank in it', 'f();\n//# sourceMappingURL=a map', null],
  ['without a blank before it', 'f();\n//#sourceMappingURL=a.map', null],
  ['nowhere', 'f();', null],
];

test.each(SCRIPTS)('a comment %s', (_, text, expected) => {
  expect(findMapReference(text)).toBe(expected);
  const script = /** @type {any} */ (new vm.Script(text));
  // Node.js before 18.13 does not say.
  if (expected === null || script.sourceMapURL !== undefined) expect(script.sourceMapURL ?? null).toBe(expected);
});

/** Modules are not compiled here: what is looked at is where the comment stands. @type {[string, string, string | null][]} */
const MODULES = [
  ['at the end', 'export const a = 1;\n//# sourceMappingURL=a.map\n', 'a.map'],
  ['behind code', 'export const a = 1;//# sourceMappingURL=a.map\n', 'a.map'],
  ['behind code with an address', 'export const a = "http://x";//# sourceMappingURL=a.map\n', 'a.map'],
  ['before code', '//# sourceMappingURL=a.map\nexport const a = 1;\n', 'a.map'],
  ['in a string', 'export const a = "//# sourceMappingURL=a.map";\n', null],
];

test.each(MODULES)('a comment of a module, %s', (_, text, expected) => {
  expect(findMapReference(text)).toBe(expected);
});

test("the comment of a style sheet's form, which older versions of Node.js take", () => {
  expect(findMapReference('f();\n/*# sourceMappingURL=a.map */\n')).toBe('a.map');
});

test('many comments behind it are looked at once', () => {
  const text = `//# sourceMappingURL=a.map\n${'// '.repeat(50_000)}\nf(`;
  const start = process.cpuUsage();
  findMapReference(text);
  expect(process.cpuUsage(start).user).toBeLessThan(2e6);
});
