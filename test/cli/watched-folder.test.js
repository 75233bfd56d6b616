'use strict';

/** A program that watches its working folder is not to see us at work there: some start anew at each change. */

const fs = require('node:fs');
const path = require('node:path');
const { runCli, temporaryFolder } = require('../helpers/run-cli');

const folder = temporaryFolder();
const top = fs.mkdtempSync('/tmp/spprof-places-');
afterAll(() => fs.rmSync(top, { recursive: true }));

// What lies in the working folder, hidden files too, after each turn; and what a watch of all below it has seen, where Node.js can.
const WATCHES = `
  const fs = require('node:fs');
  const seen = new Set(fs.readdirSync('.'));
  let changes = 0;
  let watcher;
  try { watcher = fs.watch('.', { recursive: true }, () => changes++); } catch { watcher = fs.watch('.', () => changes++); }
  const { user, system } = process.cpuUsage();
  const usedMs = () => { const now = process.cpuUsage(); return (now.user + now.system - user - system) / 1000; };
  function turn() {
    for (const end = usedMs() + 20; usedMs() < end; ) Math.sqrt(end);
    for (const name of fs.readdirSync('.')) seen.add(name);
    if (usedMs() < 400) return setTimeout(turn, 5);
    watcher.close();
    process.stdout.write(JSON.stringify({ seen: [...seen], changes }));
  }
  setTimeout(turn, 50);`;

/** @param {string} name of the working folder @param {Record<string, string>} [env] */
function watch(name, env) {
  const cwd = path.join(folder, name);
  fs.mkdirSync(cwd, { recursive: true });
  fs.writeFileSync(path.join(cwd, 'watches.js'), WATCHES);
  const { status, stdout } = runCli(['-q', '-r', '1000', '-o', 'w.folded', 'watches.js'], { cwd, env });
  expect([status, fs.readdirSync(cwd).sort()]).toEqual([0, ['w.folded', 'w.spprof', 'watches.js']]);
  return JSON.parse(stdout);
}

test('nothing is made or changed in the working folder while the program runs', () => {
  expect(watch('own')).toEqual({ seen: ['watches.js'], changes: 0 });
});

describe('the recording meanwhile', () => {
  const shows = path.join(folder, 'shows.js');
  fs.writeFileSync(shows, `process.stdout.write(require('node:path').dirname(process.env.SPPROF_DIR))`);
  const run = (/** @type {string} */ place) => {
    const { status, stdout } = runCli(['-q', '-o', 's.folded', shows], { cwd: folder, env: { TMPDIR: place } });
    expect([status, fs.existsSync(stdout)]).toEqual([0, true]);
    return stdout;
  };

  test('lies where TMPDIR says, and nothing stays there', () => {
    expect(run(top)).toBe(top);
    expect(fs.readdirSync(top)).toEqual([]);
  });

  test.each([path.join(top, 'none'), 'relative', ''])('lies elsewhere if TMPDIR is "%s"', (place) => {
    expect(['/var/tmp', '/tmp', folder]).toContain(run(place));
  });
});
