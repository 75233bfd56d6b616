'use strict';

/**
 * `node bench/page.js`: how the page does with a million samples of 100,000 distinct stacks, in chromium: when it paints, how long a
 * zoom, a search, a thread and a span of time take until they are drawn, and how much memory the tab has. Each step is done several
 * times; the median and the longest are printed.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { Profile } = require('../lib/profile/profile');
const { launchBrowser } = require('../test/helpers/browser');
const { js, native, random, recordingOf } = require('../test/helpers/recording');

const SAMPLES = 1_000_000;
const STACKS = 100_000;
const THREADS = 4;
const TIMES = 7;
const SEED = 7;

/** Stacks of 20 to 60 frames; each leaves another one at some depth. @returns {import('../binding').NativeRecording} */
function largeRecording() {
  const chance = random(SEED);
  const functions = Array.from({ length: 5000 }, (_, i) =>
    i % 10 === 9
      ? native(`native${i}`, `/usr/lib/library${i % 7}.so`)
      : js(`function${i}`, {
          url: i % 3 === 0 ? `/app/node_modules/package${i % 40}/index.js` : '/app/main.js',
          line: i + 1,
        }),
  );
  const [parents, frames] = [[0], [0]];
  const leaves = [0];
  const add = (/** @type {number} */ parent) => {
    frames.push(Math.floor(chance() ** 2 * functions.length));
    return parents.push(parent) - 1;
  };
  while (leaves.length <= STACKS) {
    let node = leaves[Math.floor(chance() * leaves.length)];
    for (let up = Math.floor(chance() * 12); up > 0 && node !== 0; up--) node = parents[node];
    const more = 2 + Math.floor(chance() * (node === 0 ? 40 : 10));
    for (let k = 0; k < more; k++) node = add(node);
    leaves.push(node);
  }
  const base = recordingOf(
    Array.from({ length: THREADS }, (_, thread) => ({ atMs: 1, cpuMs: 1, stack: [functions[0]], thread })),
  );
  const own = SAMPLES / THREADS;
  return {
    ...base,
    ...{ frames: functions, stackParents: Uint32Array.from(parents), stackFrames: Uint32Array.from(frames) },
    durationNs: own * 1e6,
    sampleThreads: Uint32Array.from({ length: SAMPLES }, (_, i) => Math.floor(i / own)),
    sampleTimes: Float64Array.from({ length: SAMPLES }, (_, i) => (i % own) * 1e6),
    sampleCpuNs: new Float64Array(SAMPLES).fill(1e6),
    sampleWallNs: new Float64Array(SAMPLES).fill(1e6),
    sampleStacks: Uint32Array.from({ length: SAMPLES }, () => leaves[1 + Math.floor(chance() * STACKS)]),
    sampleStates: new Uint8Array(SAMPLES),
    sampleBlocks: new Uint32Array(SAMPLES),
  };
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** @param {number[]} times ms @param {number[]} [waits] for a core, ms each */
function summary(times, waits) {
  const own =
    waits === undefined
      ? ''
      : ` (${median(times.map((ms, i) => Math.max(0, ms - waits[i]))).toFixed(0)} ms with a core)`;
  return `median ${median(times).toFixed(0)} ms${own}, longest ${Math.max(...times).toFixed(0)} ms`;
}

/** The process that shows the page: of those of this kind the largest. @param {any} browser @returns {Promise<number>} */
async function processOfTab(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const ids = processInfo.flatMap((/** @type {{ type: string, id: number }} */ { type, id }) =>
    type === 'renderer' ? [id] : [],
  );
  return ids.sort((/** @type {number} */ a, /** @type {number} */ b) => memoryOf(b, 'VmRSS') - memoryOf(a, 'VmRSS'))[0];
}

/** MB. @param {number} pid @param {'VmRSS' | 'VmHWM'} field now, or at most */
function memoryOf(pid, field) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** For how long a process's main thread has been ready to run while others had the cores, ms. @param {number} pid */
function waitedMs(pid) {
  return Number(fs.readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}

/** How long something takes until the browser has drawn it. @param {any} page @param {string} action JavaScript */
function drawn(page, action) {
  return page.evaluate(
    (/** @type {string} */ text) =>
      new Promise((resolve) => {
        const begin = performance.now();
        // A policy forbids scripts made of text: these are the page's own controls.
        const [kind, target, value] = JSON.parse(text);
        const element = document.querySelector(target);
        if (kind === 'key') element.dispatchEvent(new KeyboardEvent('keydown', { key: value, bubbles: true }));
        if (kind === 'click') element.click();
        if (kind === 'input' || kind === 'change') {
          element.value = value;
          element.dispatchEvent(new Event(kind, { bubbles: true }));
        }
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begin)));
      }),
    action,
  );
}

async function measure() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-page-'));
  const browser = await launchBrowser();
  if (browser === undefined) return;
  try {
    let begin = performance.now();
    const recording = largeRecording();
    process.stdout.write(
      `recording: ${SAMPLES} samples, ${STACKS} stacks, ${recording.stackParents.length} nodes, seed ${SEED}\n`,
    );
    const file = await new Profile(recording).write(path.join(folder, 'large.html'));
    const seconds = (performance.now() - begin) / 1000;
    process.stdout.write(`written: ${(fs.statSync(file).size / 1e6).toFixed(1)} MB, made in ${seconds.toFixed(1)} s\n`);

    const paints = [];
    const readies = [];
    const readyWaits = [];
    let pid = 0;
    let page;
    for (let i = 0; i < TIMES; i++) {
      await page?.context().close();
      page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
      begin = performance.now();
      await page.goto(pathToFileURL(file).href);
      await page.waitForSelector('body[data-ready]');
      readies.push(performance.now() - begin);
      pid = await processOfTab(browser);
      readyWaits.push(waitedMs(pid));
      paints.push(
        await page.evaluate(
          () =>
            new Promise((resolve) => {
              new PerformanceObserver((list) => resolve(list.getEntries()[0].startTime)).observe({
                ...{ type: 'paint', buffered: true },
              });
            }),
        ),
      );
    }
    process.stdout.write(`first paint: ${summary(paints)}\nready, all drawn: ${summary(readies, readyWaits)}\n`);
    if (page === undefined) return;
    /** @type {[string, unknown[], unknown[]][]} */
    const steps = [
      ['zoom in', ['key', '#graph', 'ArrowDown'], ['key', '#graph', 'Enter']],
      ['zoom out', [], ['click', '#reset']],
      ['search', ['input', '#search', ''], ['input', '#search', 'function77']],
      ['one thread', ['change', '#thread', ''], ['change', '#thread', 't1']],
      ['span of time', ['change', '#from', '0'], ['change', '#from', '20000']],
      ['all time', [], ['click', '#whole']],
      ['function table', ['click', '#tab-flame'], ['click', '#tab-functions']],
      ['sandwich', ['click', '#tab-flame'], ['click', '#tab-sandwich']],
      ['call tree', ['click', '#tab-flame'], ['click', '#tab-tree']],
      ['packages', ['click', '#tab-flame'], ['click', '#tab-packages']],
    ];
    for (const [name, before, step] of steps) {
      const times = [];
      const waits = [];
      for (let i = 0; i < TIMES; i++) {
        if (before.length > 0) await drawn(page, JSON.stringify(before));
        if (name === 'zoom out') {
          await drawn(page, JSON.stringify(['key', '#graph', 'ArrowDown']));
          await drawn(page, JSON.stringify(['key', '#graph', 'Enter']));
        }
        if (name === 'all time') await drawn(page, JSON.stringify(['change', '#from', '20000']));
        const waited = waitedMs(pid);
        times.push(await drawn(page, JSON.stringify(step)));
        waits.push(waitedMs(pid) - waited);
      }
      process.stdout.write(`${name}: ${summary(times, waits)}\n`);
      if (name === 'one thread') await drawn(page, JSON.stringify(['change', '#thread', '']));
    }
    const [now, most] = [memoryOf(pid, 'VmRSS'), memoryOf(pid, 'VmHWM')];
    process.stdout.write(`memory of the tab: ${now.toFixed(0)} MB, at most ${most.toFixed(0)} MB\n`);
  } finally {
    await browser.close();
    fs.rmSync(folder, { recursive: true });
  }
}

measure();
