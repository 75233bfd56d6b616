/**
 * The profile that the page carries, as `lib/exporters/flamegraph.js` writes it: columns as base64 of zigzag varints of
 * differences (`lib/exporters/page-columns.js`).
 *
 * @typedef {object} PageFunction
 * @property {string} name
 * @property {string} [full] the name, where `name` is a short one
 * @property {string} where file and line, module, or ''
 * @property {string} kind that it is coloured by: a variable of style/theme.css
 * @property {number} owner in `owners`; -1: its caller's
 * @property {string} [url] of its script
 * @property {number} [line] where it begins there
 *
 * @typedef {object} PageThread
 * @property {number} id
 * @property {string} name
 * @property {string} kind
 * @property {number} tid
 * @property {number} [processId] where there are several processes
 * @property {string} [processName]
 *
 * @typedef {object} PageView the stacks, in one of two views
 * @property {'program' | 'full'} name
 * @property {PageFunction[]} functions
 * @property {[line: number, tier: string][]} places
 * @property {Uint32Array} parents of the stack tree's nodes; node 0 is the root
 * @property {Uint32Array} functionOf by node
 * @property {Uint8Array} isInlined by node
 * @property {Uint32Array} fineParents of the finer tree, in which a function's lines and tiers are nodes of their own
 * @property {Uint32Array} fineNodes the node that each of the finer tree belongs to
 * @property {Uint32Array} finePlaces in `places`
 * @property {Uint32Array} stacks by sample: its node in the finer tree
 *
 * @typedef {object} PageProfile
 * @property {string} title
 * @property {string} subtitle
 * @property {'cpu' | 'wall'} mode
 * @property {'nanoseconds' | 'bytes' | 'count'} unit of the values
 * @property {'program' | 'full'} view that the page opens in
 * @property {('program' | 'full')[]} views that there are
 * @property {boolean} isDifference samples of side 0 are from before, those of side 1 from after
 * @property {PageThread[]} threads
 * @property {string[]} blocks of sampleBlocks, which counts from 1
 * @property {string[]} categories
 * @property {{ category: number, part: string }[]} owners
 * @property {{ atMs: number, thread: number, name: string, detail: string }[]} marks
 * @property {{ marks: number, collections: number }} leftOut how many the page does not carry
 * @property {boolean} hasSources the page was written with texts of sources
 * @property {number} bucketMs width of one step of time
 * @property {number} bucketCount
 * @property {Uint32Array} sampleThreads
 * @property {Uint32Array} sampleBuckets
 * @property {Uint32Array} sampleBlocks
 * @property {Uint32Array} sampleOwners
 * @property {Uint8Array} sampleSides none where it is no difference
 * @property {Float64Array} cpuNs
 * @property {Float64Array} wallNs
 * @property {Uint32Array} collectionThreads
 * @property {Float64Array} collectionBegins microseconds
 * @property {Float64Array} collectionEnds
 *
 * @typedef {object} SourceText what the page has of one script's text
 * @property {string} url
 * @property {string} [why] there is none
 * @property {{ line: number, lines: string[] }[]} [parts] `line`: the number of the first
 */

/** @param {string} text base64 */
function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** @param {string} text base64 @returns {Float64Array} times need more than 32 bits */
function decodeColumn(text) {
  const bytes = bytesOf(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) length += (bytes[i] >> 7) ^ 1;
  const column = new Float64Array(length);
  let at = 0;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[at++];
    // Most differences are of one byte.
    if (byte < 128) value += (byte >> 1) ^ -(byte & 1);
    else {
      let zigzag = byte - 128;
      let scale = 128;
      let next = bytes[at++];
      for (; next >= 128; next = bytes[at++]) {
        zigzag += (next - 128) * scale;
        scale *= 128;
      }
      zigzag += next * scale;
      value += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    }
    column[i] = value;
  }
  return column;
}

/** An element's data; the element is given up, so that its text is not held twice. @param {string} id */
function readElement(id) {
  const element = document.getElementById(id);
  const written = JSON.parse(element?.textContent ?? '');
  element?.remove();
  return written;
}

/** @returns {PageProfile} */
export function readProfile() {
  const { columns, ...head } = readElement('profile');
  const words = (/** @type {string} */ name) => new Uint32Array(decodeColumn(columns[name]));
  const cpuNs = decodeColumn(columns.cpuNs);
  return {
    ...head,
    ...{ sampleThreads: words('sampleThreads'), sampleBuckets: words('sampleBuckets') },
    ...{ sampleBlocks: words('sampleBlocks'), sampleOwners: words('sampleOwners') },
    sampleSides: new Uint8Array(decodeColumn(columns.sampleSides)),
    cpuNs,
    wallNs: head.mode === 'wall' ? decodeColumn(columns.wallNs) : cpuNs,
    collectionThreads: words('collectionThreads'),
    collectionBegins: decodeColumn(columns.collectionBegins),
    collectionEnds: decodeColumn(columns.collectionEnds),
  };
}

/** @returns {SourceText[]} */
export function readSources() {
  return readElement('sources');
}

/** Decoded when it is first looked at. @param {'program' | 'full'} name @returns {PageView} */
export function readView(name) {
  const { columns, functions, places } = readElement(`stacks-${name}`);
  const words = (/** @type {string} */ column) => new Uint32Array(decodeColumn(columns[column]));
  const fineParents = words('fineParents');
  const fineNodes = words('fineNodes');
  const own = words('functionOf');
  const parents = new Uint32Array(own.length);
  for (let fine = 1; fine < fineParents.length; fine++) parents[fineNodes[fine]] = fineNodes[fineParents[fine]];
  return {
    ...{ name, functions, places, parents, fineParents, fineNodes },
    functionOf: own.map((value) => value >>> 1),
    isInlined: new Uint8Array(own.map((value) => value & 1)),
    ...{ finePlaces: words('finePlaces'), stacks: words('stacks') },
  };
}
