'use strict';

/**
 * Burns CPU time below a frame of each kind, one after the other: `golden.js [ms for each] [kind ...]`. What is on the stack
 * between `burn` and the function `of_<kind>` is the kind's own.
 */

const { EventEmitter } = require('node:events');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');

const ms = Number(process.argv[2] ?? 60);
const asked = process.argv.slice(3);

function burn() {
  let sum = 0;
  for (const end = performance.now() + ms; performance.now() < end; ) {
    for (let i = 0; i < 2e4; i++) sum += i % 7;
  }
  return sum;
}
globalThis.burn = burn;

class Thing {
  #hidden() {
    return burn();
  }
  constructor(works) {
    if (works) burn();
  }
  get accessor() {
    return burn();
  }
  set accessor(_value) {
    burn();
  }
  method() {
    return burn();
  }
  callHidden() {
    return this.#hidden();
  }
  static ofClass() {
    return burn();
  }
  field = () => burn();
}
class Derived extends Thing {}

function* generator() {
  yield burn();
}
async function afterAwait() {
  await null;
  return burn();
}

const holder = {};
holder.assigned = () => burn();
const arrow = () => burn();
function bindable() {
  return burn();
}
const bound = bindable.bind(null);

// (func $golden (export "run") (param i32) local.get 0  call $imported) with (import "m" "f" (func (param i32)))
const wasmCode = Uint8Array.from([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 1, 127, 0, 2, 7, 1, 1, 109, 1, 102, 0, 0],
  ...[3, 2, 1, 0, 7, 7, 1, 3, 114, 117, 110, 0, 1, 10, 8, 1, 6, 0, 32, 0, 16, 0, 11],
  ...[0, 16, 4, ...Buffer.from('name'), 1, 9, 1, 1, 6, ...Buffer.from('golden')],
]);
const wasm = new WebAssembly.Instance(new WebAssembly.Module(wasmCode), { m: { f: () => burn() } });

/** @type {Record<string, () => unknown>} */
const kinds = {
  plain: function of_plain() {
    return burn();
  },
  arrow: function of_arrow() {
    return arrow();
  },
  map: function of_map() {
    return [1].map(function callback() {
      return burn();
    });
  },
  forEach: function of_forEach() {
    [1].forEach(function callback() {
      burn();
    });
  },
  sort: function of_sort() {
    let first = true;
    return [2, 1].sort(function compare(a, b) {
      if (first) burn();
      first = false;
      return a - b;
    });
  },
  replace: function of_replace() {
    return 'a'.replace(/a/, function replacer() {
      return String(burn());
    });
  },
  construct: function of_construct() {
    return new Thing(true);
  },
  derived: function of_derived() {
    return new Derived(true);
  },
  accessor: function of_accessor() {
    return new Thing().accessor;
  },
  setter: function of_setter() {
    new Thing().accessor = 1;
  },
  method: function of_method() {
    return new Thing().method();
  },
  hidden: function of_hidden() {
    return new Thing().callHidden();
  },
  classMethod: function of_classMethod() {
    return Thing.ofClass();
  },
  field: function of_field() {
    return new Thing().field();
  },
  inferred: function of_inferred() {
    return holder.assigned();
  },
  bound: function of_bound() {
    return bound();
  },
  generator: function of_generator() {
    return [...generator()];
  },
  async: async function of_async() {
    await afterAwait();
  },
  internal: function of_internal() {
    new EventEmitter()
      .on('event', function listener() {
        burn();
      })
      .emit('event');
  },
  sourceUrl: function of_sourceUrl() {
    // biome-ignore lint/security/noGlobalEval: what is tested, in the global scope
    return globalThis.eval('burn()\n//# sourceURL=templates/golden.js');
  },
  eval: function of_eval() {
    // biome-ignore lint/security/noGlobalEval: what is tested
    return eval('(function evaluated() { return burn(); })()');
  },
  newFunction: function of_newFunction() {
    return new Function('return burn()')();
  },
  vm: function of_vm() {
    return vm.runInThisContext('(function inVm() { return burn(); })()', { filename: '/virtual/golden-vm.js' });
  },
  esm: async function of_esm() {
    const { inModule } = await import(pathToFileURL(path.join(__dirname, 'golden.mjs')).href);
    inModule();
  },
  webassembly: function of_webassembly() {
    return wasm.exports.run(1);
  },
  regexp: function of_regexp() {
    const backtracking = /(a+)+b/;
    for (let i = 0; i < 3; i++) backtracking.test('ac'); // V8 interprets the first matches, and a slow machine had no others
    for (const end = performance.now() + ms; performance.now() < end; ) backtracking.test(`${'a'.repeat(18)}c`);
  },
};

(async () => {
  for (const [name, run] of Object.entries(kinds)) {
    if (asked.length === 0 || asked.includes(name)) await run();
  }
})();
