'use strict';

/** The tables of `npm run mutate`: each mutation can still be made, and what they are to cover they cover. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { MUTATIONS, placeOf } = require('../../scripts/mutate/mutations');
const { chosen, table } = require('../../scripts/mutate');

const ROOT = path.join(__dirname, '..', '..');
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const NAMES = MUTATIONS.map(({ name }) => name);

test.each(MUTATIONS.map((mutation) => [mutation.name, mutation]))('%s has its place and its test', (_, mutation) => {
  expect(placeOf(ROOT, mutation).problem).toBeNull();
  expect(placeOf(ROOT, mutation).mutated).not.toBe(placeOf(ROOT, mutation).text);
  const source = read(`test/native/${mutation.test}.cc`);
  const cases = [...source.matchAll(/^TEST(?:_F|_P)?\((\w+), (\w+)\)/gm)].map(([, suite, name]) => `${suite}.${name}`);
  for (const pattern of mutation.cases.split(':')) {
    const regexp = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    expect(cases.filter((name) => regexp.test(name))).not.toEqual([]);
  }
});

test('a text that is not there is an error', () => {
  const { problem } = placeOf(ROOT, { ...MUTATIONS[0], find: 'no such text' });
  expect(problem).toMatch(/has this text 0 times.*no such text/);
});

test('names are unique', () => {
  expect(new Set(NAMES).size).toBe(NAMES.length);
});

test('each phase of the end has its mutation', () => {
  const names = /kNames\[\] = \{([^}]*)\}/.exec(read('native/session/shutdown_manager.cc'))[1];
  const phases = [...names.matchAll(/"(\w+)"/g)].map(([, name]) => `phase-${name}`);
  expect(phases.length).toBeGreaterThan(0);
  expect(NAMES).toEqual(expect.arrayContaining(phases));
});

test('each key of stats.dropped has its mutation', () => {
  const reasons = read('docs/stats.md').split('## Reasons in `dropped`')[1].split('\n## ')[0];
  const keys = [...reasons.matchAll(/^\| `(\w+)`/gm)].map(([, key]) => `drop-${key}`);
  expect(keys.length).toBeGreaterThan(0);
  expect(NAMES).toEqual(expect.arrayContaining(keys));
});

test('--only takes names and what they begin with', () => {
  expect(chosen('phase-sync').map(({ name }) => name)).toEqual(['phase-sync']);
  expect(chosen('phase,drop').length).toBe(NAMES.filter((name) => /^(phase|drop)-/.test(name)).length);
  expect(() => chosen('pha')).toThrow('no mutation pha');
});

test('--list ends without a word when its reader has gone', async () => {
  const script = path.join(ROOT, 'scripts', 'mutate.js');
  const child = spawn(process.execPath, [script, '--list'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let told = '';
  child.stderr.on('data', (bytes) => (told += bytes));
  const [status] = await once(child, 'close');
  expect({ status, told }).toEqual({ status: 0, told: '' });
});

test('the table is aligned', () => {
  const rows = [
    ['mutation', 'result'],
    ['a', 'NOT noticed'],
  ];
  expect(table(rows)).toBe('mutation  result\na         NOT noticed');
});
