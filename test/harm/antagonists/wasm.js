'use strict';

/** A loop in WebAssembly, its traps (faults that V8 turns into errors), and modules made again and again. */

const { join, main } = require('./harness');

// (module (memory 1)
//   (func (export "run") (param $n i32) (param $x i32) (result i32)
//     (loop (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 33)) (local.get $n)))
//       (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if 0 (local.get $n)))
//     (local.get $x))
//   (func (export "read") (param i32) (result i32) (i32.load (local.get 0))))
const BYTES = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x0c, 0x02, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x01, 0x7f],
  ...[0x03, 0x03, 0x02, 0x00, 0x01],
  ...[0x05, 0x03, 0x01, 0x00, 0x01],
  ...[0x07, 0x0e, 0x02, 0x03, 0x72, 0x75, 0x6e, 0x00, 0x00, 0x04, 0x72, 0x65, 0x61, 0x64, 0x00, 0x01],
  ...[0x0a, 0x24, 0x02, 0x1a, 0x00, 0x03, 0x40, 0x20, 0x01, 0x41, 0x21, 0x6c, 0x20, 0x00, 0x6a, 0x21, 0x01],
  ...[0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x20, 0x01, 0x0b],
  ...[0x07, 0x00, 0x20, 0x00, 0x28, 0x02, 0x00, 0x0b],
]);

/** @param {number} seed */
async function round(seed) {
  let sum = seed;
  for (let i = 0; i < 4; i++) {
    const { instance } = await WebAssembly.instantiate(BYTES);
    const { run, read } = /** @type {Record<string, (...values: number[]) => number>} */ (
      /** @type {unknown} */ (instance.exports)
    );
    sum = join(sum, run(3_000_000, seed + i));
    for (let call = 1; call < 3000; call++) sum = join(sum, run(1 + (call % 40), sum));
    for (let trap = 0; trap < 200; trap++) {
      try {
        sum = join(sum, read(65_536 + trap * 4096));
      } catch (error) {
        sum = join(sum, error instanceof WebAssembly.RuntimeError ? 3 : 4);
      }
    }
  }
  return sum;
}

main(module, { exitStatus: 47, round });
