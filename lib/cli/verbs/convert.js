'use strict';

const { openRecording } = require('../io/input');
const { checkOutputs, expandPattern, planOutputs } = require('../io/output-names');
const { plural } = require('../../base/units');
const { visible } = require('../../base/visible');
const { programName } = require('../command');
const { withProgress } = require('../io/progress');
const { writeOutputs } = require('../io/write-outputs');

/**
 * `spprof convert <file> -o <file>`: prints the files it has written.
 * @param {import('../arguments').ConvertRequest} request
 * @param {import('../run').Io} io
 */
async function convert(request, io) {
  const outputs = planOutputs(request, io.cwd());
  checkOutputs(outputs);
  const { profile, log } = await openRecording(request.file, { reading: request.reading, io });
  const { pid, startTimeMs } = profile;
  const program = programName(request.file).replace(/\.spprof$/, '');
  const files = outputs.map(({ pattern, format }) => ({
    file: expandPattern(pattern, { pid, startTimeMs, program, isFirst: true }),
    format,
  }));
  const writing = writeOutputs(profile, files, log);
  const written = await withProgress(io, `writing ${plural(files.length, 'file')}`, writing);
  // A stream that the output went to gets nothing but that.
  for (const { path } of written.filter((each) => !/^\/(dev|proc)\//.test(each.path)))
    io.stdout.write(`${visible(path)}\n`);
  return 0;
}

module.exports = { convert };
