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

  spprof.start();
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
