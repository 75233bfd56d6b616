/**
 * The profile that the page carries, as `lib/exporters/flamegraph.js` writes it: columns in base64, little-endian.
 *
 * @typedef {object} PageFunction
 * @property {string} name
 * @property {string} [full] the name, where `name` is a short one
 * @property {string} where file and line, module, or ''
 * @property {string} kind one of `KINDS`
 * @property {boolean} inlined
 *
 * @typedef {object} PageProfile
 * @property {string} title
 * @property {string} subtitle
 * @property {'cpu' | 'wall'} mode
 * @property {boolean} isDifference samples of side 0 are from before, those of side 1 from after
 * @property {{ id: number, label: string }[]} threads
 * @property {string[]} blocks of sampleBlocks, which counts from 1
 * @property {PageFunction[]} functions
 * @property {number} bucketMs width of one step of time
 * @property {number} bucketCount
 * @property {Uint32Array} parents of the stack tree's nodes; node 0 is the root
 * @property {Uint32Array} functionOf by node
 * @property {Uint32Array} stacks by sample: its node
 * @property {Uint32Array} sampleThreads
 * @property {Uint32Array} sampleBuckets
 * @property {Uint32Array} sampleBlocks
 * @property {Uint8Array} sampleSides
 * @property {Float64Array} cpuNs
 * @property {Float64Array} wallNs
 */

/** @param {string} text base64 @returns {ArrayBuffer} */
function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

/** @param {string} json @returns {PageProfile} */
export function readProfile(json) {
  const { columns, ...rest } = JSON.parse(json);
  const words = (/** @type {string} */ name) => new Uint32Array(bytesOf(columns[name]));
  return {
    ...rest,
    parents: words('parents'),
    functionOf: words('functionOf'),
    stacks: words('stacks'),
    sampleThreads: words('sampleThreads'),
    sampleBuckets: words('sampleBuckets'),
    sampleBlocks: words('sampleBlocks'),
    sampleSides: new Uint8Array(bytesOf(columns.sampleSides)),
    cpuNs: new Float64Array(bytesOf(columns.cpuNs)),
    wallNs: new Float64Array(bytesOf(columns.wallNs)),
  };
}
