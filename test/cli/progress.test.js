'use strict';

const { withProgress } = require('../../lib/cli/io/progress');

/** A terminal that tells of its first text. */
function terminal() {
  /** @type {string[]} */
  const texts = [];
  let tell = () => {};
  const first = new Promise((resolve) => {
    tell = () => resolve(undefined);
  });
  const stderr = { isTTY: true, write: (/** @type {string} */ text) => tell(texts.push(text)) };
  return { stderr, texts, first };
}

test('work over a second has a line on the terminal, which is wiped at its end', async () => {
  const { stderr, texts, first } = terminal();
  let finish = (/** @type {string} */ _value) => {};
  const work = new Promise((resolve) => {
    finish = resolve;
  });
  const done = withProgress({ stderr }, 'reading a.spprof', work);
  await first;
  finish('read');
  expect(await done).toBe('read');
  expect(texts[0]).toBe('\r\u001b[Kspprof: reading a.spprof … 1 s');
  expect(texts.at(-1)).toBe('\r\u001b[K');
});

test('short work has none, and what fails still wipes it', async () => {
  const { stderr, texts } = terminal();
  expect(await withProgress({ stderr }, 'reading', Promise.resolve(1))).toBe(1);
  await expect(withProgress({ stderr }, 'reading', Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(texts).toEqual([]);
});

test('a file or a pipe never sees it', async () => {
  jest.useFakeTimers();
  const { stderr, texts } = terminal();
  let finish = () => {};
  const slow = new Promise((resolve) => {
    finish = () => resolve(undefined);
  });
  const done = withProgress({ stderr: { ...stderr, isTTY: false } }, 'reading', slow);
  jest.advanceTimersByTime(5000);
  finish();
  await done;
  jest.useRealTimers();
  expect(texts).toEqual([]);
});

describe('colours', () => {
  const FILE = require('node:path').join(__dirname, '..', 'fixtures', 'profiles', 'node.cpuprof.json');
  /** The command in this process, with a terminal or without. @param {string[]} args @param {boolean} isTTY @param {Record<string, string>} env */
  async function runWith(args, isTTY, env) {
    const { run } = require('../../lib/cli/run');
    let [out, told] = ['', ''];
    const stdout = { isTTY, write: (/** @type {string} */ text) => (out += text) };
    const stderr = { isTTY, write: (/** @type {string} */ text) => (told += text) };
    await run(args, { stdout, stderr, env, execPath: process.execPath, cwd: () => __dirname });
    return { out, told };
  }

  test('are for terminals', async () => {
    const { out } = await runWith(['report', FILE], true, {});
    const head = out.split('\n')[2];
    expect([head.startsWith('\u001b[1m '), head.includes('self ms'), head.endsWith('\u001b[0m')]).toEqual([
      true,
      true,
      true,
    ]);
    const { told } = await runWith(['report', 'no-such-file'], true, {});
    expect(told.startsWith('\u001b[31mspprof:\u001b[0m cannot read')).toBe(true);
  });

  test.each([
    ['a file', false, {}],
    ['NO_COLOR', true, { NO_COLOR: '1' }],
    ['TERM=dumb', true, { TERM: 'dumb' }],
  ])('and not for %s', async (_, isTTY, env) => {
    const { out } = await runWith(['report', FILE], isTTY, /** @type {any} */ (env));
    expect(out).toContain('self ms');
    expect(out).not.toContain('\u001b');
  });
});
