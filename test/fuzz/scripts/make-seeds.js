'use strict';

/** `node make-seeds.js <folder>`: real files of each format, of a recording made here and now. */

const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { Worker, isMainThread } = require('node:worker_threads');

const FIXTURES = path.join(__dirname, '..', '..', 'fixtures', 'profiles');
const MAP = {
  version: 3,
  file: 'a.js',
  sources: ['webpack://app/./src/x.ts', '../y.ts'],
  sourcesContent: ['function original() {}', null],
  names: ['original', 'b'],
  mappings: 'SAIGA;AACAC,aAAUD;;AACA',
};
const OPTIONS = {
  start: { intervalUs: 1000, mode: 'cpu', timer: 'tick', threads: 'all', native: true, maxFrames: 64, signal: 'auto' },
  env: { SPPROF_INTERVAL: '1ms', SPPROF_MODE: 'wall', SPPROF_MAX_OVERHEAD: '5%', SPPROF_DURATION: '10s' },
  args: ['-o', 'x.html', '-r', '1000', '--mode=wall', '--timer', 'hires', '-q', '--', 'node', 'app.js'],
};

/** @param {number} n @returns {number} */
function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/** @param {number} ms */
function work(ms) {
  const end = performance.now() + ms;
  let text = '';
  while (performance.now() < end) text = JSON.stringify({ n: fibonacci(18), text: text.slice(0, 100) });
}

/** @param {string} folder */
async function makeSeeds(folder) {
  const spprof = require('../../../lib/index');
  const session = spprof.start({ intervalUs: 2000 });
  const parse = spprof.block('seeds', 'work');
  session.mark('begun', { detail: { of: 'seeds' } });
  const worker = new Worker(__filename);
  parse.measure(() => work(300));
  await new Promise((resolve) => worker.once('exit', resolve));
  const profile = await session.stop();
  const log = path.join(folder, 'seed.spprof');
  for (const name of ['cpuprofile', 'speedscope.json', 'pb.gz', 'collapsed', 'speedscope.json.gz']) {
    await profile.write(path.join(folder, `seed.${name}`));
  }
  await recordLog(log);
  for (const name of fs.readdirSync(FIXTURES)) {
    if (name !== 'README.md') fs.copyFileSync(path.join(FIXTURES, name), path.join(folder, name));
  }
  fs.writeFileSync(path.join(folder, 'small.map'), JSON.stringify(MAP));
  fs.writeFileSync(
    path.join(folder, 'sections.map'),
    JSON.stringify({ version: 3, sections: [{ offset: { line: 0, column: 0 }, map: MAP }] }),
  );
  fs.writeFileSync(path.join(folder, 'options.json'), JSON.stringify(OPTIONS));
  const text = fs.readFileSync(path.join(folder, 'seed.collapsed'));
  fs.writeFileSync(path.join(folder, 'seed.collapsed.gz'), zlib.gzipSync(text));
}

/** A log of ours, as the command keeps it. @param {string} log */
async function recordLog(log) {
  const spprof = require('../../../lib/index');
  const folder = fs.mkdtempSync(path.join(path.dirname(log), 'recording-'));
  const session = spprof.start({ intervalUs: 4000, dir: folder });
  session.mark('in the log');
  spprof.block('seeds', 'again').measure(() => work(200));
  await session.stop();
  for (const name of /** @type {string[]} */ (fs.readdirSync(folder, { recursive: true }))) {
    if (path.basename(name) === 'log') fs.copyFileSync(path.join(folder, name), log);
  }
  fs.rmSync(folder, { recursive: true });
}

if (isMainThread) {
  makeSeeds(process.argv[2]).catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  });
} else {
  work(100);
}
