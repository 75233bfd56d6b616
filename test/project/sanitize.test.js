'use strict';

/** What `npm run sanitize` makes of the output of tests and sanitizers; the sanitizers themselves run in `.ci/run`. */

const fs = require('node:fs');
const path = require('node:path');
const { problemsOf, summaryLines } = require('../../scripts/sanitize');
const { readGoogleTest, readJunit } = require('../../scripts/sanitize/cases');
const { KEEPS_SAMPLES, SUITES } = require('../../scripts/sanitize/suites');

const testcase = (name, inner) => `<testcase name="${name}" classname="${name}" time="1">${inner}</testcase>`;
const JUNIT = `<?xml version="1.0"?><testsuite tests="4">
${testcase('ring_test.Ring.Wraps', '<system-out>[       OK ] Ring.Wraps</system-out>')}
${testcase('ring_test.Ring.Torn', '<failure message="Failed"/><system-out>SUMMARY: no</system-out>')}
${testcase('pause_test.Pause.Off', '<skipped message="S"/><system-out>/a/pause_test.cc:70: Skipped\nsignals &amp; ticks are merged\n</system-out>')}
${testcase('lane_test.Lane.Ok', '<system-out>==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60b0 at pc 0x5\n/a/lane.cc:7:3: runtime error: shift exponent -1 is negative\n</system-out>')}
</testsuite>`;
const KEPT = { name: `start_stop_test.${KEEPS_SAMPLES}`, result: /** @type {const} */ ('passed'), reason: '' };

test('a report fails the run by its name, even of a case that has passed', () => {
  const { cases, reports, shown } = readJunit(JUNIT);
  expect(cases.map(({ result }) => result)).toEqual(['passed', 'failed', 'skipped', 'passed']);
  expect(cases[2].reason).toBe('signals & ticks are merged');
  expect(reports).toEqual([
    'lane_test.Lane.Ok: AddressSanitizer: heap-use-after-free on address … at pc …',
    'lane_test.Lane.Ok: /a/lane.cc:7:3: runtime error: shift exponent -1 is negative',
  ]);
  expect(shown).toMatch(/^ring_test\.Ring\.Torn:.*lane_test\.Lane\.Ok:/s);
  const ran = { name: 'asan', cases: [...cases, KEPT], reports, shown, problem: null, seconds: 61.4 };
  expect(problemsOf(ran)).toEqual([...reports.map((each) => `asan: ${each}`), 'asan: ring_test.Ring.Torn has failed']);
  expect(summaryLines([ran])).toEqual([
    'preset  passed  failed  reports  skipped  seconds',
    'asan         3       1        2        1       61',
    '',
    'skipped in  because                     tests',
    'asan        signals & ticks are merged      1',
  ]);
});

test('TSan and valgrind have their reports named, too', () => {
  const tsan = 'WARNING: ThreadSanitizer: data race (pid=77)\n  Write of size 4';
  expect(readGoogleTest(tsan, 'lane_test').reports).toEqual(['lane_test: ThreadSanitizer: data race']);
  const output = `[ RUN      ] Ring.Wraps\n==9== Invalid read of size 8\n[       OK ] Ring.Wraps (3 ms)
[ RUN      ] Ring.Off\n/a/ring_test.cc:3: Skipped\nno room\n\n[  SKIPPED ] Ring.Off (0 ms)
[ RUN      ] Ring.Torn\n[  FAILED  ] Ring.Torn (1 ms)
==9== 24 bytes in 1 blocks are definitely lost in loss record 3 of 9`;
  expect(readGoogleTest(output, 'ring_test')).toEqual({
    shown: output,
    cases: [
      { name: 'ring_test.Ring.Wraps', result: 'passed', reason: '' },
      { name: 'ring_test.Ring.Off', result: 'skipped', reason: 'no room' },
      { name: 'ring_test.Ring.Torn', result: 'failed', reason: '' },
    ],
    reports: [
      'ring_test: Invalid read of size 8',
      'ring_test: 24 bytes in 1 blocks are definitely lost in loss record 3 of 9',
    ],
  });
});

test('a run without the test that looks for samples fails', () => {
  const ran = { name: 'asan', cases: [], reports: [], shown: '', problem: null, seconds: 1 };
  expect(problemsOf(ran)).toEqual([`asan: are samples taken? ${KEEPS_SAMPLES}: not run`]);
  expect(problemsOf({ ...ran, cases: [{ ...KEPT, result: 'skipped' }] })[0]).toMatch(/: skipped$/);
  expect(problemsOf({ ...ran, cases: [KEPT] })).toEqual([]);
  expect(problemsOf({ ...ran, problem: 'asan: the tests could not be built' })).toEqual([
    'asan: the tests could not be built',
  ]);
});

test('the suites name tests that there are, and the gate runs a part of them', () => {
  const files = fs
    .readdirSync(path.join(__dirname, '..', 'native'), { recursive: true })
    .map((file) => path.basename(String(file)));
  for (const { name, gate, parts } of SUITES) {
    const missing = [...gate, ...(parts ?? [])].filter((test) => !files.includes(`${test}_test.cc`));
    expect({ name, missing }).toEqual({ name, missing: [] });
    expect(gate).toContain('start_stop');
    expect(parts ?? gate).toEqual(expect.arrayContaining(gate));
  }
});
