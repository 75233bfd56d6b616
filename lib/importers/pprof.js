'use strict';

const { Malformed, RecordingBuilder } = require('./recording-builder');

/**
 * pprof's profile.proto, of ours, @datadog/pprof, Go and others. The weight of a sample is its CPU time if it has one, else its
 * wall time, else its count times the period.
 */

const NANOSECONDS = /** @type {Record<string, number>} */ ({
  nanoseconds: 1,
  microseconds: 1e3,
  milliseconds: 1e6,
  seconds: 1e9,
});

/** @param {{ type: string, unit: string }[]} types */
function weightsOf(types) {
  const find = (/** @type {RegExp} */ name) => {
    const index = types.findIndex(({ type, unit }) => name.test(type) && unit in NANOSECONDS);
    return index < 0 ? null : { index, scale: NANOSECONDS[types[index].unit] };
  };
  const wall = find(/^wall$/);
  const cpu = find(/^cpu$/) ?? wall ?? find(/./);
  return { cpu, wall: wall ?? cpu };
}

/**
 * @param {Uint8Array} bytes not compressed
 * @returns {import('./recording-builder').Recording}
 * @throws {Malformed}
 */
function readPprof(bytes) {
  const { Profile } = require('pprof-format');
  let profile;
  try {
    profile = Profile.decode(bytes);
  } catch (error) {
    throw new Malformed('the protocol buffer', error instanceof Error ? error.message : String(error));
  }
  const { strings } = profile.stringTable;
  if (profile.sampleType.length === 0 || strings[0] !== '')
    throw new Malformed('the protocol buffer', 'it is no profile of pprof');
  const text = (/** @type {number | bigint} */ index, /** @type {string} */ place) => {
    const string = strings[Number(index)];
    if (string === undefined) throw new Malformed(place, `there is no string ${index}`);
    return string;
  };
  const types = profile.sampleType.map(({ type, unit }, i) => ({
    type: text(type, `sample_type[${i}]`),
    unit: text(unit, `sample_type[${i}]`),
  }));
  const weights = weightsOf(types);
  const periodNs = Number(profile.period) || 1e6;
  const builder = new RecordingBuilder();
  const mappings = new Map(profile.mapping.map((each, i) => [Number(each.id), text(each.filename, `mapping[${i}]`)]));
  const functions = new Map(
    profile.function.map((each, i) => [
      Number(each.id),
      {
        functionName: text(each.name, `function[${i}]`),
        url: text(each.filename, `function[${i}]`),
        line: Number(each.startLine),
      },
    ]),
  );
  const locations = new Map(
    profile.location.map(({ id, line, mappingId, address }, i) => {
      const module = mappings.get(Number(mappingId)) ?? '';
      const frames = line.map((each, k) => {
        const own = functions.get(Number(each.functionId));
        if (own === undefined)
          throw new Malformed(`location[${i}].line[${k}]`, `there is no function ${each.functionId}`);
        const place =
          module === ''
            ? { url: own.url, line: own.line || Number(each.line) }
            : { module, kind: /** @type {const} */ ('native') };
        const name = own.functionName === '(anonymous)' ? '' : own.functionName;
        const sampledLine = module === '' ? Number(each.line) : 0;
        return builder.frame({ functionName: name, ...place, sampledLine, inlined: k < line.length - 1 });
      });
      const unnamed = {
        functionName: `0x${BigInt(address).toString(16)}`,
        kind: /** @type {const} */ ('native'),
        module,
      };
      return [Number(id), frames.length > 0 ? frames : [builder.frame(unnamed)]];
    }),
  );
  const names = { thread: /^thread( name)?$/, id: /^(thread id|os thread id)$/ };
  profile.sample.forEach(({ locationId, value, label }, i) => {
    let [name, tid] = ['', 0];
    for (const each of label) {
      const key = text(each.key, `sample[${i}].label`);
      if (names.thread.test(key)) name = text(each.str, `sample[${i}].label`);
      else if (names.id.test(key)) tid = Number(each.num) || Number(text(each.str, `sample[${i}].label`)) || 0;
    }
    const thread = builder.thread(name || 'main', { tid });
    let stack = 0;
    for (const id of [...locationId].reverse()) {
      const frames = locations.get(Number(id));
      if (frames === undefined) throw new Malformed(`sample[${i}]`, `there is no location ${id}`);
      for (const frame of [...frames].reverse()) stack = builder.child(stack, frame);
    }
    const ns = (/** @type {{ index: number, scale: number } | null} */ of) =>
      of === null ? Number(value[0]) * periodNs : Number(value[of.index]) * of.scale;
    const cpuNs = ns(weights.cpu);
    if (!Number.isFinite(cpuNs)) throw new Malformed(`sample[${i}].value`, `${types.length} values are expected`);
    builder.add({ thread, timeNs: 0, cpuNs, wallNs: ns(weights.wall), stack });
  });
  return builder.build({
    ...{ source: 'pprof', startTimeMs: Number(profile.timeNanos) / 1e6, durationNs: Number(profile.durationNanos) },
    intervalNs: periodNs,
  });
}

module.exports = { readPprof };
