'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parseArguments } = require('../../lib/cli/arguments');
const { quoteNodeOption, recordingEnvironment } = require('../../lib/cli/command');
const {
  expandPattern,
  isForEachProcess,
  insertBeforeExtension,
  planOutputs,
  uniqueName,
} = require('../../lib/cli/io/output-names');
const { temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();

/** @param {string} line @param {Record<string, string>} [env] */
function parse(line, env = {}) {
  return /** @type {any} */ (parseArguments(line.split(' ').filter(Boolean), env));
}

describe('parseArguments()', () => {
  test('the command begins at the first operand, and is untouched', () => {
    const { verb, command, options } = parse('-i 2ms node --inspect app.js -i 5 --no-native -- -x');
    expect(verb).toBe('record');
    expect(command).toEqual(['node', '--inspect', 'app.js', '-i', '5', '--no-native', '--', '-x']);
    expect(options).toMatchObject({ intervalUs: 2000, native: true });
  });

  test('-- ends the options, and record may be said', () => {
    expect(parse('record -q -- -strange --name').command).toEqual(['-strange', '--name']);
    expect(parse('-- report').command).toEqual(['report']);
  });

  test('a command may have a name that objects have', () => {
    expect(parse('constructor x')).toMatchObject({ verb: 'record', command: ['constructor', 'x'] });
    expect(parse('toString')).toMatchObject({ verb: 'record', command: ['toString'] });
  });

  test('every option', () => {
    const request = parse(
      '-o a.cpuprofile --output=b.txt -f text -r 500 --timer hires -m cpu -t js --no-native --max-frames 9 ' +
        '--max-threads 8 --dir d --json node a.js',
    );
    expect(request).toMatchObject({
      ...{ outputs: ['a.cpuprofile', 'b.txt'], format: 'text', quiet: false, json: true, command: ['node', 'a.js'] },
      options: {
        ...{ intervalUs: 2000, timer: 'hires', mode: 'cpu', threads: 'js', native: false },
        ...{ maxFrames: 9, maxThreads: 8, dir: 'd' },
      },
    });
  });

  test('options win over the environment', () => {
    expect(parse('-i 1ms node a.js', { SPPROF_INTERVAL: '5ms', SPPROF_MAX_FRAMES: '3' }).options).toMatchObject({
      ...{ intervalUs: 1000, maxFrames: 3 },
    });
  });

  test('the other verbs', () => {
    const reading = { sourceMaps: true, sources: true, maxMemory: 1024, view: null, verbose: false };
    const showing = {
      top: 30,
      sort: 'self',
      process: null,
      thread: null,
      tree: false,
      threshold: 1,
      engine: false,
      json: false,
    };
    expect(parse('report a.spprof')).toEqual({ verb: 'report', file: 'a.spprof', reading, ...showing });
    expect(parse('report --tree a.spprof --threshold 5 -n 3')).toMatchObject({ tree: true, threshold: 5, top: 3 });
    expect(parse('diff a --json b -o c.html')).toEqual({
      ...{
        verb: 'diff',
        file: 'a',
        second: 'b',
        outputs: ['c.html'],
        format: null,
        failOver: null,
        reading,
        ...showing,
        json: true,
      },
    });
    expect(parse('view a --no-open')).toEqual({ verb: 'view', file: 'a', outputs: [], opens: false, reading });
    expect(parse('convert -o x.txt a.spprof -o y.folded')).toMatchObject({
      file: 'a.spprof',
      outputs: ['x.txt', 'y.folded'],
    });
    expect(parse('recover d')).toEqual({ verb: 'recover', folder: 'd', dump: false });
    expect(parse('recover d --dump')).toEqual({ verb: 'recover', folder: 'd', dump: true });
    expect(parse('')).toEqual({ verb: 'help', topic: null });
    expect(parse('convert --help')).toEqual({ verb: 'help', topic: 'convert' });
    expect(parse('-v')).toEqual({ verb: 'version' });
  });

  test.each([
    ['--interal 5 node', 'unknown option --interal; did you mean --interval?'],
    ['-x node', 'unknown option -x; known are --output'],
    ['-i soon node', '--interval must be \'auto\' or a time from 10 µs to 10 s, not "soon"'],
    ['-i 1us node', '--interval must be \'auto\' or a time from 10 µs to 10 s, not "1us"'],
    ['-r 0 node', '--rate must be a number of samples per second'],
    ['-r 100 -i 500 node', '--rate and --interval say the same thing'],
    ['-m wal node', "--mode must be one of 'cpu', 'wall', not \"wal\"; did you mean wall?"],
    ['--timer sundial node', "--timer must be one of 'auto', 'tick', 'hires', 'perf', 'itimer', not"],
    ['--timer tck node', 'did you mean tick?'],
    [
      '-f pprf node',
      '--format must be one of cpuprofile, pprof, collapsed, speedscope, firefox, trace, flamegraph, text, markdown, log, not "pprf"; did you mean pprof?',
    ],
    ['report --sort name a', '--sort must be one of self, total, not "name"'],
    ['report --threshold 200 a', '--threshold must be a number from 0 to 100, not "200"'],
    ['diff a', 'diff needs two files: spprof diff <before> <after>'],
    ['diff a b c', 'diff takes two files, not also "c"'],
    ['-f cpuprof node', 'did you mean cpuprofile?'],
    ['-d 0 node', '-d'],
    ['-d soon node', '-d'],
    ['view', 'view needs a file: spprof view <file>'],
    ['-o', '-o needs a value: -o <file>'],
    ['--output= node', '--output needs a value'],
    ['--quiet=1 node', '--quiet takes no value'],
    ['-q --json node', 'give one of them'],
    ['-q', 'no command to record; try: spprof node app.js'],
    ['report', 'report needs a file'],
    ['report a b', 'takes one file, not also "b"'],
    ['convert a', 'convert needs an output'],
    ['report --timer tick a', 'unknown option --timer'],
  ])('%j: %s', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });
});

describe('output names', () => {
  const first = { pid: 77, startTimeMs: new Date(2026, 10, 20, 9, 5, 7).getTime(), program: 'my app' };

  test('%p, %t and %n are filled in', () => {
    expect(expandPattern('/a/%n.%t.%p.cpuprofile', first)).toBe('/a/my_app.20261120T090507.77.cpuprofile');
    expect(expandPattern('/a%p/100%%.txt', first)).toBe('/a%p/100%.txt');
  });

  test('%p asks for a file of each process, except in a name that we have chosen', () => {
    const asks = (/** @type {string} */ pattern, isOwnName = false) =>
      isForEachProcess({ pattern, format: 'text', isOwnName });
    expect(['/a/x-%p.txt', '/a/%%%p.txt'].map((pattern) => asks(pattern))).toEqual([true, true]);
    expect(['/a/x.txt', '/%p/x.txt', '/a/x%%p.txt'].map((pattern) => asks(pattern))).toEqual([false, false, false]);
    expect(asks('/a/x.%p.txt', true)).toBe(false);
    expect(insertBeforeExtension('/a.b/x', 'worker-1')).toBe('/a.b/x.worker-1');
  });

  test('names of one run are told apart, in front of the extension', () => {
    const taken = new Set();
    const names = Array.from({ length: 3 }, () => uniqueName('/a/x.7.pb.gz', taken));
    expect(names).toEqual(['/a/x.7.pb.gz', '/a/x.7-2.pb.gz', '/a/x.7-3.pb.gz']);
  });

  test('of those with a number none is a file of an earlier run', () => {
    for (const earlier of ['x.html', 'x-2.html', 'x-4.html']) fs.writeFileSync(path.join(folder, earlier), '');
    const taken = /** @type {Set<string>} */ (new Set());
    const names = Array.from({ length: 3 }, () => path.basename(uniqueName(path.join(folder, 'x.html'), taken)));
    expect(names).toEqual(['x.html', 'x-3.html', 'x-5.html']);
  });

  test('the extension chooses the format unless one is given', () => {
    const request = { outputs: ['a.cpuprofile', 'b.FOLDED', 'c.spprof'], format: null };
    expect(planOutputs(request, '/w')).toEqual([
      { pattern: '/w/a.cpuprofile', format: 'cpuprofile' },
      { pattern: '/w/b.FOLDED', format: 'collapsed' },
      { pattern: '/w/c.spprof', format: 'log' },
    ]);
    expect(planOutputs({ outputs: ['x'], format: 'text' }, '/w')).toEqual([{ pattern: '/w/x', format: 'text' }]);
    expect(planOutputs({ outputs: [], format: 'collapsed' }, '/w')[0].pattern).toBe('/w/spprof.%t.%p.collapsed');
  });
});

describe('the environment of a recorded program', () => {
  test('keeps NODE_OPTIONS and adds the preload', () => {
    const env = recordingEnvironment({ NODE_OPTIONS: '--no-warnings', A: '1' }, { SPPROF_DIR: '/d' });
    expect(env).toMatchObject({ A: '1', SPPROF_DIR: '/d' });
    expect(env.NODE_OPTIONS).toMatch(/^--no-warnings --require \S+\.js$/);
    expect(recordingEnvironment({}, {}).NODE_OPTIONS).toMatch(/^--require \S+\.js$/);
    expect(quoteNodeOption('/a "b"\\c')).toBe('"/a \\"b\\"\\\\c"');
  });
});
