'use strict';

const { openRecording } = require('../io/input');
const { checkOutputs, planOutputs } = require('../io/output-names');
const { plural } = require('../../base/units');
const { visible } = require('../../base/visible');
const { programName } = require('../command');
const { withProgress } = require('../io/progress');
const { writeRecording } = require('../io/write-recording');

/** @param {import('../../profile/profile').Profile} profile @param {number} id of a process */
function partOfProcess(profile, id) {
  const part = profile.processes.length === 1 ? profile : profile.filter({ processIds: [id] });
  return { part, firstThread: 0 };
}

/**
 * `spprof convert <file> -o <file>`: prints the files it has written.
 * @param {import('../arguments').ConvertRequest} request
 * @param {import('../run').Io} io
 */
async function convert(request, io) {
  const outputs = planOutputs(request, io.cwd());
  checkOutputs(outputs);
  const { profile, logs } = await openRecording(request.file, { reading: request.reading, io });
  const program = programName(request.file).replace(/\.spprof$/, '');
  const partOf = (/** @type {number} */ id) => partOfProcess(profile, id);
  const recorded = { profile, logs, program, pid: profile.pid, partOf };
  const writing = writeRecording(recorded, outputs, { taken: new Set() });
  const written = await withProgress(io, `writing ${plural(outputs.length, 'file')}`, writing);
  // A stream that the output went to gets nothing but that.
  for (const { path } of written.filter((each) => !/^\/(dev|proc)\//.test(each.path)))
    io.stdout.write(`${visible(path)}\n`);
  return 0;
}

module.exports = { convert };
