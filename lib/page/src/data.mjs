/**
 * The profile that the page carries, as `lib/exporters/flamegraph.js` writes it: columns as base64 of zigzag varints of
 * differences (`lib/exporters/page-columns.js`).
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
 * @property {'nanoseconds' | 'bytes' | 'count'} unit of the values
 * @property {'program' | 'full'} view that these stacks are in
 * @property {boolean} isDifference samples of side 0 are from before, those of side 1 from after
 * @property {{ id: number, label: string }[]} threads
 * @property {string[]} blocks of sampleBlocks, which counts from 1
 * @property {PageFunction[]} functions
 * @property {string[]} places a line and a tier, in words
 * @property {Float64Array} placeNodes by place in a node, ascending; none in a difference
 * @property {Float64Array} placeNumbers which of `places`
 * @property {Float64Array} placeNs of the node's total, in the whole recording; 0 where there is one place
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

/** @param {string} text base64 @returns {Float64Array} times need more than 32 bits */
function decodeColumn(text) {
  const binary = atob(text);
  let length = 0;
  for (let i = 0; i < binary.length; i++) if (binary.charCodeAt(i) < 128) length++;
  const column = new Float64Array(length);
  let at = 0;
  let value = 0;
  for (let i = 0; i < length; i++) {
    let zigzag = 0;
    let scale = 1;
    let byte = binary.charCodeAt(at++);
    for (; byte >= 128; byte = binary.charCodeAt(at++)) {
      zigzag += (byte - 128) * scale;
      scale *= 128;
    }
    zigzag += byte * scale;
    value += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    column[i] = value;
  }
  return column;
}

/** @param {any} written one view of the profile, with what both have @returns {PageProfile} */
function readView({ columns, ...rest }) {
  const column = (/** @type {string} */ name) => decodeColumn(columns[name] ?? '');
  const words = (/** @type {string} */ name) => Uint32Array.from(column(name));
  const cpuNs = column('cpuNs');
  return {
    ...rest,
    parents: words('parents'),
    functionOf: words('functionOf'),
    stacks: words('stacks'),
    sampleThreads: words('sampleThreads'),
    sampleBuckets: words('sampleBuckets'),
    sampleBlocks: words('sampleBlocks'),
    sampleSides: Uint8Array.from(column('sampleSides')),
    cpuNs,
    wallNs: rest.mode === 'wall' ? column('wallNs') : cpuNs,
    placeNodes: column('placeNodes'),
    placeNumbers: column('placeNumbers'),
    placeNs: column('placeNs'),
  };
}

/**
 * The profile in the view that the page opens in, and in the other; that one is decoded when it is first looked at.
 * @param {string} json
 * @returns {{ first: PageProfile, other: (() => PageProfile) | null }} `other`: null where there is one view only
 */
export function readProfile(json) {
  const { other, ...written } = JSON.parse(json);
  const { functions, places, columns, ...both } = written;
  const view = both.view === 'program' ? 'full' : 'program';
  return { first: readView(written), other: other === undefined ? null : () => readView({ ...both, ...other, view }) };
}
