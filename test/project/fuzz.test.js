'use strict';

/** When `npm run fuzz -- --until-saturated` ends (docs/decisions/0046), and what its targets reach. */

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { begin, isQuiet, noGrowth, note, summaryOf, untilSaturated } = require('../../scripts/fuzz/saturation');
const { temporaryFolder } = require('../helpers/run-cli');

jest.retryTimes(0);
const folder = temporaryFolder();
const ROOT = path.join(__dirname, '..', '..');

/** A round in which new edges came at these seconds, 100 executions each second. @param {number} known @param {number[]} times @param {number} seconds */
function round(known, times, seconds) {
  const growth = noGrowth();
  begin(growth, known);
  for (const time of times) note(growth, growth.edges + 1, time * 100, time);
  return { executions: seconds * 100, seconds, growth, findings: [] };
}

test('a round ends when its second half, and at least the quiet time, was without a new edge', () => {
  const { growth } = round(10, [1, 50], 50);
  expect(isQuiet(growth, 99, 20)).toBe(false);
  expect(isQuiet(growth, 100, 20)).toBe(true);
  expect(isQuiet(growth, 100, 60)).toBe(false);
  expect(isQuiet(growth, 110, 60)).toBe(true);
  expect(growth).toMatchObject({ known: 10, edges: 12, lastExecution: 5000, lastSeconds: 50 });
});

test('a target is saturated after a whole round without a new edge, as long as the quiet time before', async () => {
  const asked = [];
  const rounds = [round(10, [200], 400), round(11, [90], 290), round(12, [], 200)];
  const outcome = await untilSaturated(async (...settings) => rounds[asked.push(settings) - 1], {
    seed: 7,
    limit: 3600,
  });
  expect(outcome).toEqual({ state: 'saturated', rounds });
  expect(asked).toEqual([
    [7, 60, 3600],
    [8, 200, 3200],
    [9, 200, 2910],
  ]);
  expect(summaryOf(rounds)).toMatchObject({
    ...{ executions: 89_000, seconds: 890, edges: 12, newEdges: 2 },
    ...{ lastExecution: 49_000, lastSeconds: 490 },
  });
});

test('the first round alone proves nothing, a limit and a finding end it', async () => {
  const one = (/** @type {any} */ result) => untilSaturated(async () => result, { seed: 1, limit: 100 });
  expect(await one(round(5, [], 60))).toMatchObject({ state: 'saturated', rounds: { length: 2 } });
  expect(await one(round(5, [70], 100))).toMatchObject({ state: 'limit', rounds: { length: 1 } });
  const finding = { ...round(5, [], 10), findings: [{ file: 'x', problem: 'y', again: 'z' }] };
  expect(await one(finding)).toMatchObject({ state: 'finding', rounds: { length: 1 } });
});

test('a target in JavaScript says how much of lib/ it has reached, ends when asked, and the next one goes on from there', async () => {
  fs.writeFileSync(path.join(folder, 'options.json'), JSON.stringify({ start: { intervalUs: 1 }, env: {}, args: [] }));
  const script = path.join(ROOT, 'test/fuzz/scripts/run-target.js');
  const reports = [];
  for (const seed of ['1', '2']) {
    const args = [script, 'options', folder, path.join(folder, 'input'), seed, '60'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (data) => {
      text += data;
      // After the second line, of the first inputs; once, since a process that is about to end has no handler any more.
      if (text.split('\n').length > 2 && !child.killed) child.kill('SIGTERM');
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    reports.push(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  }
  const [first, second] = reports.map((each) => each[0]);
  const last = reports[0][reports[0].length - 1];
  expect(first).toMatchObject({ executions: 0, reached: 0 });
  expect(last.executions).toBeGreaterThan(0);
  expect(last.reached).toBeGreaterThan(10_000);
  expect(second.reached).toBe(last.reached);
});
