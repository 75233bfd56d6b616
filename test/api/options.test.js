'use strict';

const options = require('../../lib/options/options');

const { OPTIONS, OPTION_NAMES, checkOptions, optionsFromEnvironment, optionsToEnvironment, toNativeOptions } = options;

/** @param {() => unknown} action */
function caught(action) {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('checkOptions()', () => {
  test('fills in the defaults', () => {
    expect(checkOptions()).toEqual({
      ...{ intervalUs: 'auto', mode: 'cpu', timer: 'auto', threads: 'all', native: true },
      ...{ maxFrames: 512, maxThreads: 4096, durationS: null, dir: null },
      ...{
        indexRingBytes: 16384,
        detailRingBytes: 65536,
        maxMemory: 1024,
        handleSignals: false,
        sourceMaps: true,
        sources: true,
        view: null,
      },
      ...{ maxOverhead: 5, signal: 'auto' },
    });
  });

  test('an option that is undefined keeps its default', () => {
    expect(checkOptions({ maxFrames: undefined }).maxFrames).toBe(512);
  });

  test('an unknown option is refused with the nearest right one', () => {
    const error = caught(() => checkOptions({ interval: 5 }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      ...{ code: 'ERR_SPPROF_UNKNOWN_OPTION', option: "'interval'" },
      message: "unknown option 'interval'; did you mean intervalUs?",
    });
  });

  test('an unknown option like no other lists the known ones', () => {
    expect(caught(() => checkOptions({ zzzzz: 5 }))).toMatchObject({ message: expect.stringContaining('maxFrames') });
  });

  test.each([[null], [5], ['x'], [[1]]])('%j is not an object of options', (given) => {
    expect(caught(() => checkOptions(given))).toMatchObject({ code: 'ERR_SPPROF_OPTION_TYPE' });
  });

  test.each([
    ['intervalUs', '5'],
    ['intervalUs', true],
    ['mode', 1],
    ['native', 'yes'],
    ['maxFrames', '512'],
    ['dir', ''],
    ['dir', 7],
  ])('%s of a wrong type (%j) is a TypeError', (name, value) => {
    const error = caught(() => checkOptions({ [name]: value }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: 'ERR_SPPROF_OPTION_TYPE', option: name, given: value });
  });

  test.each([
    ['intervalUs', 9.9],
    ['intervalUs', 10_000_001],
    ['intervalUs', Number.NaN],
    ['intervalUs', Number.POSITIVE_INFINITY],
    ['maxFrames', 0],
    ['maxFrames', 1.5],
    ['maxThreads', 65_537],
    ['threads', 'main'],
    ['timer', 'tock'],
    ['maxOverhead', 0],
    ['maxOverhead', 101],
    ...['SIGKILL', 'SIGSEGV', 'SIGINT', 'SIGUSR1', 'SIGCHLD', 'SIGRTMIN+30', 'SIGRTMAX', 'sigprof', '27'].map(
      (name) => ['signal', name],
    ),
  ])('%s out of range (%j) is a RangeError', (name, value) => {
    const error = caught(() => checkOptions({ [name]: value }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ code: 'ERR_SPPROF_OPTION_RANGE', option: name, given: value });
  });

  test('a choice that is mistyped gets the nearest right one', () => {
    expect(caught(() => checkOptions({ timer: 'tik' }))).toMatchObject({
      message: expect.stringContaining('did you mean tick?'),
    });
  });
});

describe('the environment', () => {
  test('gives back what was put in', () => {
    const given = checkOptions({ intervalUs: 250, timer: 'hires', native: false, dir: '/tmp/a b', maxFrames: 7 });
    expect(checkOptions(optionsFromEnvironment(optionsToEnvironment(given)))).toEqual(given);
    const standard = checkOptions();
    expect(checkOptions(optionsFromEnvironment(optionsToEnvironment(standard)))).toEqual(standard);
  });

  test('takes units, and 0 and 1 for booleans', () => {
    const env = {
      SPPROF_INTERVAL: '2ms',
      SPPROF_NATIVE: '0',
      SPPROF_MAX_THREADS: '9',
      SPPROF_OTHER: 'x',
      SPPROF_MODE: '',
      SPPROF_MAX_OVERHEAD: '2.5%',
      SPPROF_SIGNAL: 'SIGRTMIN+29',
    };
    expect(optionsFromEnvironment(env)).toEqual({
      ...{ intervalUs: 2000, native: false, maxThreads: 9 },
      ...{ maxOverhead: 2.5, signal: 'SIGRTMIN+29' },
    });
  });

  test('a wrong value names the variable', () => {
    expect(caught(() => optionsFromEnvironment({ SPPROF_INTERVAL: 'soon' }))).toMatchObject({
      ...{ code: 'ERR_SPPROF_OPTION_RANGE', option: 'SPPROF_INTERVAL', given: 'soon' },
    });
    expect(caught(() => optionsFromEnvironment({ SPPROF_NATIVE: 'maybe' }))).toMatchObject({ option: 'SPPROF_NATIVE' });
  });

  test('every option has a variable of its own', () => {
    expect(new Set(OPTION_NAMES.map((name) => OPTIONS[name].env)).size).toBe(OPTION_NAMES.length);
  });
});

describe('toNativeOptions() leaves the engine to the native side', () => {
  test.each([
    [{}, 'auto', 1_000_000],
    [{ intervalUs: 4000 }, 'auto', 4_000_000],
    [{ intervalUs: 10_000 }, 'auto', 10_000_000],
    [{ intervalUs: 3999 }, 'auto', 3_999_000],
    [{ intervalUs: 100 }, 'auto', 100_000],
    [{ intervalUs: 100, timer: 'tick' }, 'tick', 100_000],
    [{ timer: 'hires' }, 'hires', 1_000_000],
  ])('%j is %s at %d ns', (given, timer, intervalNs) => {
    const isTickEnough = !('intervalUs' in given);
    expect(toNativeOptions(checkOptions(given), null)).toMatchObject({
      ...{ timer, intervalNs, isTickEnough, directory: null },
    });
  });
});

test('the size of a ring is a power of two', () => {
  expect(checkOptions({ indexRingBytes: 65536 }).indexRingBytes).toBe(65536);
  for (const indexRingBytes of [65537, 2048, 2 ** 25]) {
    expect(caught(() => checkOptions({ indexRingBytes }))).toMatchObject({
      ...{ code: 'ERR_SPPROF_OPTION_RANGE', option: 'indexRingBytes', allowed: 'a power of two from 4096 to 16777216' },
    });
  }
});
