'use strict';

const { Malformed } = require('./malformed');
const { chooseValue, scaleIn, TIMES } = require('./pprof-values');
const { RecordingBuilder } = require('./recording-builder');
const { plural } = require('../base/units');

/** pprof's profile.proto, of ours, @datadog/pprof, Go and others. */

/** @typedef {import('pprof-format').Profile} PprofProfile */

/** What our own files say of themselves. */
const OWN_COMMENT = /^spprof; Node .*; pid (\d{1,10});/;

/** What our own files put behind names of functions that share a line (exporters/pprof.js). */
const OWN_COLUMN = / \((\d{1,9}):(\d{1,9})\)$/;

/** @param {string} name @param {number} line @returns {{ functionName: string, column: number }} */
function splitColumn(name, line) {
  const match = OWN_COLUMN.exec(name);
  if (match === null || Number(match[1]) !== line) return { functionName: name, column: 0 };
  return { functionName: name.slice(0, match.index), column: Number(match[2]) };
}

/** The strings of a profile, by number. */
class Strings {
  /** @param {string[]} strings */
  constructor(strings) {
    this.strings = strings;
  }

  /** @param {number | bigint} index @param {string} place */
  at(index, place) {
    const string = this.strings[Number(index)];
    if (string === undefined) throw new Malformed(place, `there is no string ${index}`);
    return string;
  }
}

/** @param {Uint8Array} bytes */
function decode(bytes) {
  const { Profile } = require('pprof-format');
  let profile;
  try {
    profile = Profile.decode(bytes);
  } catch (error) {
    throw new Malformed('the protocol buffer', error instanceof Error ? error.message : String(error));
  }
  if (profile.sampleType.length === 0 || profile.stringTable.strings[0] !== '')
    throw new Malformed('the protocol buffer', 'it is no profile of pprof');
  return profile;
}

/** A signed number of 64 bits, which the decoder takes for an unsigned one. @param {number | bigint} value */
function signed(value) {
  return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : value;
}

/** A line or a column. @param {number | bigint} value */
function position(value) {
  const number = signed(value ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

/**
 * The frames of each location, outermost last.
 * @param {PprofProfile} profile @param {Strings} text @param {RecordingBuilder} builder
 * @returns {Map<number, number[]>}
 */
function locationsOf(profile, text, builder) {
  const modules = new Map(profile.mapping.map((each, i) => [Number(each.id), text.at(each.filename, `mapping[${i}]`)]));
  const functions = new Map(
    profile.function.map((each, i) => [
      Number(each.id),
      {
        name: text.at(each.name, `function[${i}]`) || text.at(each.systemName, `function[${i}]`),
        file: text.at(each.filename, `function[${i}]`),
        line: position(each.startLine),
      },
    ]),
  );
  return new Map(
    profile.location.map(({ id, line: lines, mappingId, address }, i) => {
      const module = modules.get(Number(mappingId)) ?? '';
      const unnamed = `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
      const frames = lines.map((each, k) => {
        const own = functions.get(Number(each.functionId));
        if (own === undefined)
          throw new Malformed(`location[${i}].line[${k}]`, `there is no function ${each.functionId}`);
        const sampledLine = position(each.line);
        // For native code without a file of its own we write its module's name.
        const url = own.file === module ? '' : own.file;
        const { functionName, column } = splitColumn(own.name || unnamed, own.line);
        const place = url === '' ? {} : { url, line: own.line || sampledLine, column, sampledLine };
        const kind = module === '' ? {} : { module, kind: /** @type {const} */ ('native') };
        return builder.frame({ functionName, ...place, ...kind, inlined: k < lines.length - 1 });
      });
      if (frames.length === 0) frames.push(builder.frame({ functionName: unnamed, kind: 'native', module }));
      return [Number(id), frames];
    }),
  );
}

/** @param {import('pprof-format').Label[]} labels @param {Strings} text @param {string} place */
function threadOf(labels, text, place) {
  let [name, tid] = ['', 0];
  for (const { key, str, num } of labels) {
    const label = text.at(key, place);
    if (label === 'thread' || label === 'thread name') name = text.at(str, place);
    else if (label === 'thread id' || label === 'os thread id') tid = position(num) || Number(text.at(str, place)) || 0;
  }
  return { name: name || 'main', tid };
}

/** @param {PprofProfile} profile @param {Strings} text */
function chosenValue(profile, text) {
  /** @param {{ type: number | bigint, unit: number | bigint }} each @param {string} place */
  const typeOf = (each, place) => ({ type: text.at(each.type, place), unit: text.at(each.unit, place) });
  const types = profile.sampleType.map((each, i) => typeOf(each, `sample_type[${i}]`));
  const periodType = profile.periodType ? typeOf(profile.periodType, 'period_type') : null;
  const period = signed(profile.period);
  const defaultType = text.at(profile.defaultSampleType, 'default_sample_type');
  const scale = periodType === null ? undefined : scaleIn(TIMES, periodType.unit);
  return {
    types,
    intervalNs: scale !== undefined && period > 0 ? period * scale : 0,
    ...chooseValue(types, { defaultType, period, periodType }),
  };
}

/**
 * @param {Uint8Array} bytes not compressed
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readPprof(bytes) {
  const profile = decode(bytes);
  const text = new Strings(profile.stringTable.strings);
  const { types, index, scale, wall, mode, measure, note, intervalNs } = chosenValue(profile, text);
  const builder = new RecordingBuilder();
  const comments = profile.comment.map((each) => text.strings[Number(each)] ?? '');
  const ownPid = Number(comments.map((each) => OWN_COMMENT.exec(each)?.[1]).find(Boolean) ?? 0);
  const locations = locationsOf(profile, text, builder);
  const counts = types.findIndex(({ type, unit }) => /^samples?$/.test(type) && unit === 'count');
  let [counted, negative] = [0, 0];
  profile.sample.forEach(({ locationId, value, label }, i) => {
    const { name, tid } = threadOf(label, text, `sample[${i}].label`);
    // The main thread's number is its process's.
    const kind = ownPid > 0 ? (tid === ownPid ? 'main' : 'worker') : undefined;
    const thread = builder.thread(name, { tid, ...(kind && { kind: /** @type {'main' | 'worker'} */ (kind) }) });
    let stack = 0;
    for (let k = locationId.length - 1; k >= 0; k--) {
      const frames = locations.get(Number(locationId[k]));
      if (frames === undefined) throw new Malformed(`sample[${i}]`, `there is no location ${locationId[k]}`);
      for (let n = frames.length - 1; n >= 0; n--) stack = builder.child(stack, frames[n]);
    }
    if (value.length !== types.length)
      throw new Malformed(`sample[${i}].value`, `${plural(types.length, 'value')} are expected, not ${value.length}`);
    const cpuNs = signed(value[index]) * scale;
    if (cpuNs < 0) negative++;
    if (counts >= 0) counted += signed(value[counts]);
    const wallNs = wall === null ? cpuNs : signed(value[wall.index]) * wall.scale;
    builder.add({ thread, timeNs: 0, cpuNs, wallNs, stack });
  });
  if (note !== undefined) builder.note(note);
  if (negative > 0) {
    builder.note(`${plural(negative, 'value')} below zero: the file is a difference of two profiles`);
  } else if (counted > profile.sample.length) {
    builder.note(`the file adds up what has one stack: it stands for ${plural(counted, 'sample')}`);
  }
  return builder.build({
    ...{
      source: 'pprof',
      startTimeMs: signed(profile.timeNanos) / 1e6,
      durationNs: Math.max(0, signed(profile.durationNanos)),
    },
    ...{ intervalNs, mode, ...(measure && { measure }) },
  });
}

module.exports = { readPprof };
