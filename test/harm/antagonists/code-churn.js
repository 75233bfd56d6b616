'use strict';

/** Code that comes and goes: `new Function`, `eval`, `vm.Script`, made hot, dropped, flushed. */

const vm = require('node:vm');
const { join, main, randomOf } = require('./harness');

/** @param {number} n @param {number} i */
function sourceOf(n, i) {
  return `let s = ${n}; for (let i = 0; i < count; i++) { s = (Math.imul(s, ${n | 1}) + inner${i}(i)) >>> 0; } return s;
    function inner${i}(x) { return (x ^ ${n}) & ${i + 255}; }`;
}

/** @param {number} seed */
function round(seed) {
  const random = randomOf(seed);
  let sum = 0;
  for (let i = 0; i < 60; i++) {
    const source = sourceOf(random() % 100_000, i);
    const compiled = new Function('count', source);
    for (let call = 0; call < 20; call++) sum = join(sum, compiled(500));
    // biome-ignore lint/security/noGlobalEval: evaluation is what is tested
    const evaluated = globalThis.eval(`(function evaluated(count) { ${source} })`);
    sum = join(sum, evaluated(20_000));
    sum = join(
      sum,
      new vm.Script(`((count) => { ${source} })(300)`, { filename: `script-${i}.js` }).runInThisContext(),
    );
    if (i % 20 === 19) /** @type {any} */ (globalThis).gc?.();
  }
  return sum;
}

main(module, { exitStatus: 42, round });
