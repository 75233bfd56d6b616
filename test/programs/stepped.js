'use strict';

/**
 * Steps through calls of each kind, instruction by instruction (test/fixtures/stepper). The name of a function that is
 * called from another begins with that one's: `run_map_callback` is called by `run_map`, and by nobody else.
 *
 * Arguments: the stepper's path, how often each scenario runs before it is stepped through, the scenarios' names.
 */

const { step } = require(process.argv[2]);

let sum = 0;
const numbers = [5, 3, 8, 1];

/** @type {Record<string, () => void>} */
const scenarios = {
  calls: function run() {
    sum += run_first(3);
  },
  arguments: function run() {
    sum += run_few(1) + run_many(1, 2, 3, 4, 5) + run_rest(1, 2, 3) + run_spread(...numbers);
  },
  arrays: function run() {
    sum += run_map().length + run_reduce() + run_sorted()[0];
    run_each();
  },
  objects: function run() {
    const made = new Run_Made(4);
    sum += made.run_value + made.run_twice();
    made.run_value = 3;
  },
  indirect: function run() {
    sum += run_bound(2) + Reflect.apply(run_applied, null, [3]) + run_called.call(null, 4) + run_proxied(5);
  },
  throws: function run() {
    try {
      run_thrower(1);
    } catch (error) {
      sum += /** @type {string} */ (error).length;
    }
  },
  generators: function run() {
    for (const value of run_generator()) sum += value;
    const [first, second] = run_generator();
    sum += first + second;
  },
  promises: function run() {
    run_async();
  },
  strings: function run() {
    sum += 'a-b-c'.replace(/[-]/g, run_replaced).length + JSON.stringify({ toJSON: run_serialized }).length;
    sum += /(a+)+b/.test(`${'a'.repeat(6)}c${sum & 1}`) ? 1 : 0;
  },
  // With --expose-gc.
  collections: function run() {
    run_collect();
  },
  webassembly: function run() {
    sum += wasm(2);
  },
};

function run_first(a) {
  let result = 0;
  for (let i = 0; i < a; i++) result += run_first_second(i, { a });
  return result;
}
function run_first_second(a, object) {
  return run_first_second_third(a) + object.a + `${a}`.length;
}
function run_first_second_third(a) {
  return a * 2 + 1;
}

function run_few(a, b, c) {
  return a + (b === undefined && c === undefined ? 1 : 0);
}
function run_many(a) {
  // biome-ignore lint/complexity/noArguments: what is tested
  return a + arguments.length;
}
function run_rest(...rest) {
  return rest.length;
}
function run_spread(a, b, c) {
  return a + b + c;
}

function run_map() {
  return numbers.map(run_map_callback);
}
function run_map_callback(value) {
  return value + 1;
}
function run_reduce() {
  return numbers.reduce(run_reduce_callback, 0);
}
function run_reduce_callback(total, value) {
  return total + value;
}
function run_sorted() {
  return numbers.slice().sort(run_sorted_compare);
}
function run_sorted_compare(a, b) {
  return a - b;
}
function run_each() {
  numbers.forEach(run_each_callback);
}
function run_each_callback(value) {
  sum += value;
}

class Run_Base {
  constructor(value) {
    this.value = value;
  }
}
class Run_Made extends Run_Base {
  get run_value() {
    return this.value;
  }
  set run_value(value) {
    this.value = value;
  }
  run_twice() {
    return this.value * 2;
  }
}

const run_bound = function run_boundTarget(a) {
  return a + this.add;
}.bind({ add: 1 });
function run_applied(a) {
  return a + 1;
}
function run_called(a) {
  return a + 1;
}
const run_proxied = new Proxy(
  function run_trap_target(a) {
    return a + 1;
  },
  {
    apply: function run_trap(target, _self, args) {
      return target(...args);
    },
  },
);

function run_thrower(a) {
  if (a > 0) run_thrower_thrower(a);
}
function run_thrower_thrower(a) {
  throw `thrown ${a}`;
}

function* run_generator() {
  yield 1;
  yield 2;
}

async function run_async() {
  await null;
  sum++;
}

function run_replaced(found) {
  return `${found}+`;
}
function run_serialized() {
  return 'text';
}

// (import "m" "f" (func $imported (param i32) (result i32)))
// (func $run_wasm (export "f") (param i32) (result i32) local.get 0  call $run_wasm_leaf  call $imported)
// (func $run_wasm_leaf (param i32) (result i32) local.get 0  i32.const 3  i32.mul)
const code = Uint8Array.from([
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 2, 7, 1, 1, 109, 1, 102, 0, 0],
  ...[3, 3, 2, 0, 0, 7, 5, 1, 1, 102, 0, 1],
  ...[10, 18, 2, 8, 0, 32, 0, 16, 2, 16, 0, 11, 7, 0, 32, 0, 65, 3, 108, 11],
  ...[0, 33, 4, ...Buffer.from('name'), 1, 26, 2, 1, 8, ...Buffer.from('run_wasm')],
  ...[2, 13, ...Buffer.from('run_wasm_leaf')],
]);
const imports = {
  m: {
    f: function run_wasm_imported(a) {
      return a + 1;
    },
  },
};
const wasm = /** @type {any} */ (new WebAssembly.Instance(new WebAssembly.Module(code), imports).exports).f;

const MAX_STEPS = 150_000;
function run_collect() {
  const { gc } = /** @type {any} */ (globalThis);
  gc({ type: 'minor' });
  sum++;
}

const [turns, ...names] = process.argv.slice(3);
/** @type {Record<string, any>} */
const results = {};
for (const name of names) {
  const scenario = scenarios[name];
  for (let i = 0; i < Number(turns); i++) scenario();
  results[name] = JSON.parse(step(scenario, MAX_STEPS));
}
process.stdout.write(JSON.stringify(results));
process.exitCode = Number.isFinite(sum) ? 0 : 1;
