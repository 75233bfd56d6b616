'use strict';

/**
 * The program `watched-calls`, watched by what its argument names: `coverage` (the environment asks for it), `precise` (the same
 * by a session in the program), `breakpoint` (two of them, where nothing ever passes), `remote` (all of it, by a client that
 * is connected to the port of --inspect).
 */

const { once } = require('node:events');
const inspector = require('node:inspector');
const fs = require('node:fs');
const http = require('node:http');
const { promisify } = require('node:util');

/** @typedef {(method: string, params?: object) => Promise<any>} Post */

const PROGRAM = require.resolve('./watched-calls');

/** @returns {Post} */
function session() {
  const own = new inspector.Session();
  own.connect();
  return promisify(own.post.bind(own));
}

/** A frame of a client, which is masked (RFC 6455, 5.2); this one with zeros. @param {string} text */
function webSocketFrame(text) {
  const header = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(text.length, 2);
  return Buffer.concat([header, Buffer.from(text, 'latin1')]);
}

/** A client of `--inspect`, and how it leaves: node waits for that at its end. It sees only that an answer came. */
async function client() {
  inspector.open(0, '127.0.0.1');
  const request = http.get(/** @type {string} */ (inspector.url()).replace('ws:', 'http:'), {
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'QQ==',
    },
  });
  const [, socket] = await once(request, 'upgrade');
  let received = '';
  let id = 0;
  socket.on('data', (/** @type {Buffer} */ data) => {
    received += data.toString('latin1');
  });
  /** @type {Post} */
  const post = async (method, params = {}) => {
    const answer = `"id":${++id},"result":`;
    socket.write(webSocketFrame(JSON.stringify({ id, method, params })));
    while (!received.includes(answer)) await once(socket, 'data');
    received = '';
  };
  return { post, leave: () => once(socket.destroy(), 'close') };
}

/** @param {Post} post */
async function countBlocks(post) {
  await post('Profiler.enable');
  await post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
}

/** @param {Post} post */
async function setBreakPoints(post) {
  await post('Debugger.enable');
  const lines = fs.readFileSync(PROGRAM, 'utf8').split('\n');
  for (const text of ['// leaf never does', '// mid never does']) {
    const lineNumber = lines.findIndex((line) => line.includes(text));
    const columnNumber = lines[lineNumber].indexOf('never()');
    await post('Debugger.setBreakpointByUrl', { urlRegex: '.*/watched-calls\\.js$', lineNumber, columnNumber });
  }
}

/** Each gives what is to be done at the end. @type {Record<string, () => Promise<void | (() => Promise<unknown>)> | void>} */
const WATCHES = {
  coverage: () => {
    if (!process.env.NODE_V8_COVERAGE) throw new Error('NODE_V8_COVERAGE is not set');
  },
  precise: () => countBlocks(session()),
  breakpoint: () => setBreakPoints(session()),
  remote: async () => {
    const { post, leave } = await client();
    await countBlocks(post);
    await setBreakPoints(post);
    return leave;
  },
};

async function main() {
  const leave = await WATCHES[process.argv[2]]();
  require(PROGRAM);
  await leave?.();
  process.exit(); // an open session would keep the process
}
main();
