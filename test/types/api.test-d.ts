/** The public API's types, as a CommonJS user sees them. A line after `@ts-expect-error` must not compile. */

import spprof = require('spprof');

async function use(): Promise<void> {
  const session: spprof.Session = spprof.start({
    intervalUs: 'auto',
    mode: 'cpu',
    timer: 'hires',
    threads: 'js',
    native: false,
    maxFrames: 64,
    maxThreads: 16,
    dir: 'recordings',
  });
  const signals: number = session.stats().signals;
  const reasons: Record<string, number> = session.stats().dropped;
  const profile: spprof.Profile = await session.stop();
  const [first] = profile.functions;
  const selfMs: number = first.selfNs / 1e6;
  const kinds: 'main' | 'worker' | 'native' = profile.threads[0].kind;
  const cpuProfile: spprof.CpuProfile = profile.toCpuProfile(profile.threads[0].id);
  const nodes: number[] = cpuProfile.nodes.map((node) => node.callFrame.lineNumber);
  const written: string = await profile.write('a.cpuprofile', { format: 'cpuprofile', threadId: 0 });
  const text: string = profile.toCollapsed() + profile.toText({ limit: 5 });
  const again: spprof.Profile = await spprof.readProfile('a.spprof');
  const isOn: boolean = spprof.isRecording();
  console.log(signals, reasons, selfMs, kinds, nodes, written, text, again.pid, isOn);

  session.on('samples', ({ times, stackIds, stacks, dropped }: spprof.SampleBatch) => {
    const columns: [Float64Array, Uint32Array, number] = [times, stackIds, dropped];
    const names: string[] = stacks.flatMap(({ frames }) => frames.map(({ functionName }) => functionName));
    console.log(columns, names);
  });
  session.once('stats', ({ written }) => written.toFixed());
  session.off('warning', (message) => message.length);
  session.on('end', ({ shutdown }) => shutdown?.phases.length);
  for await (const { cpuTimes, threads } of session) console.log(cpuTimes[0], threads[0].kind);
  const batches: NodeJS.ReadableStream = session.stream();
  session.mark('a place', { detail: { any: ['thing'] } });
  const soFar: spprof.Profile = await session.snapshot();
  session.ref().unref().setInterval('auto');
  const isPaused: boolean = session.pause() && session.resume();
  const { result, profile: ofFunction } = await spprof.profile(async () => 42, { durationS: 1 });
  const answer: number = result;
  const part: spprof.Profile = ofFunction.filter({ threadIds: [0], fromMs: 1, toMs: 2, isGc: false }).merge(soFar);
  const changes: number[] = part.diff(soFar).map(({ selfChange, before }) => selfChange + before.selfShare);
  const ofSamples: number[] = [...part.samples()].map(({ stackId }) => part.stack(stackId).length);
  const isStopped: Promise<void> = session[Symbol.asyncDispose]();
  spprof.start({ abortSignal: new AbortController().signal });
  console.log(batches, isPaused, answer, changes, ofSamples, isStopped, part.marks[0].detail);

  const registration: spprof.ThreadRegistration = spprof.registerThread('parser');
  const isRegistered: boolean = registration.isRecorded || spprof.registerThread().isRecorded;
  registration.unregister();
  spprof.enableBlocks(!spprof.blocksEnabled());
  const places: string[] = spprof.blocks.results().map(({ file, line }) => `${file}:${line.toFixed()}`);
  console.log(isRegistered, places);
  // @ts-expect-error a name is a text
  spprof.registerThread(1);
  // @ts-expect-error on or off
  spprof.enableBlocks('on');

  spprof.start();
  // @ts-expect-error an event that does not exist
  session.on('sample', () => {});
  // @ts-expect-error a batch is no array
  session.on('samples', (batch: number[]) => batch.length);
  // @ts-expect-error the filter is `threadIds`
  part.filter({ threads: [0] });
  // @ts-expect-error a function is needed
  spprof.profile(42);
  // @ts-expect-error an interval is a number or 'auto'
  session.setInterval('1ms');
  // @ts-expect-error an unknown option
  spprof.start({ interval: 5 });
  // @ts-expect-error a mode that does not exist
  spprof.start({ mode: 'heap' });
  // @ts-expect-error a thread's id is a number
  profile.toCpuProfile('main');
  // @ts-expect-error profiles are read-only
  profile.pid = 3;
}

use();
