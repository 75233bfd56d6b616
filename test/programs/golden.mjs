// Loaded by golden.js.
export function inModule() {
  return globalThis.burn();
}
