'use strict';

/** An HTTP server that nobody asks for anything, for three seconds: prints its CPU use and event-loop utilisation. */

const http = require('node:http');
const { report } = require('./measure');

const SECONDS = 3;

const server = http.createServer((_, response) => response.end('ok'));
server.listen(0, '127.0.0.1', () => {
  // What start-up has left to do is done first.
  setTimeout(() => {
    const cpu = process.cpuUsage();
    const utilization = performance.eventLoopUtilization();
    const begin = performance.now();
    setTimeout(() => {
      const wallMs = performance.now() - begin;
      const { user, system } = process.cpuUsage(cpu);
      const { utilization: loop } = performance.eventLoopUtilization(utilization);
      report({ cpuShare: (user + system) / 1000 / wallMs, loop });
      server.close();
    }, SECONDS * 1000);
  }, 500);
});
