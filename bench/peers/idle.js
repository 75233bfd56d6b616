'use strict';

/** An HTTP server that nobody asks for anything, for ten seconds. */

const http = require('node:http');
const { cpuMs, report } = require('./measure');

const SECONDS = 10;

const server = http.createServer((_, response) => response.end('ok'));
server.listen(0, '127.0.0.1', () => {
  // What start-up has left to do is done first.
  setTimeout(() => {
    const cpu = cpuMs();
    const before = performance.eventLoopUtilization();
    const begin = performance.now();
    setTimeout(() => {
      const { utilization } = performance.eventLoopUtilization(before);
      report({ idleCpuPercent: ((cpuMs() - cpu) / (performance.now() - begin)) * 100, loopPercent: utilization * 100 });
      server.close();
    }, SECONDS * 1000);
  }, 500);
});
