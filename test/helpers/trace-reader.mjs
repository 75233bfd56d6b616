/**
 * Reads a trace with Chrome DevTools' own engine (the npm package of it), and prints, as JSON, for each thread its name and the
 * time that each function was on top of the stack, ms, and the names of user timings.
 */

import fs from 'node:fs';

globalThis.DOMRect ??= class {};
const { TraceModel } = await import('@paulirish/trace_engine/models/trace/trace.js');

const model = TraceModel.Model.createWithAllHandlers();
await model.parse(JSON.parse(fs.readFileSync(process.argv[2], 'utf8')).traceEvents);
const { data } = model.parsedTrace();
const threads = {};
for (const [, { threads: all }] of data.Renderer.processes) {
  for (const [tid, { name, profileCalls }] of all) {
    const self = {};
    for (const call of profileCalls) {
      const { functionName } = call.callFrame;
      self[functionName] = (self[functionName] ?? 0) + (data.Renderer.entryToNode.get(call)?.selfTime ?? 0) / 1000;
    }
    threads[tid] = { name, self };
  }
}
const marks = data.UserTimings.timestampEvents.concat(data.UserTimings.performanceMarks).map(({ name }) => name);
process.stdout.write(JSON.stringify({ threads, marks, asynchronous: data.AsyncJSCalls === undefined }));
