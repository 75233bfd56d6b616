'use strict';

/** Whether this process is one that spprof can record, and if not, why. */

/** The oldest glibc that the addon loads with; Node.js itself asks for it since version 18. */
const OLDEST_GLIBC = '2.28';

/** glibc's version; null with another libc (musl). @returns {string | null} */
function glibcVersion() {
  const { report } = process;
  // The report looks up the names of open connections, which can take seconds.
  const settings = /** @type {{ excludeNetwork?: boolean } | undefined} */ (/** @type {unknown} */ (report));
  const before = settings?.excludeNetwork;
  if (settings !== undefined) settings.excludeNetwork = true;
  const text = /** @type {unknown} */ (report?.getReport());
  if (settings !== undefined) settings.excludeNetwork = before;
  const parsed = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (
    typeof text === 'string' ? JSON.parse(text) : (text ?? {})
  );
  return parsed.header?.glibcVersionRuntime ?? null;
}

/** @param {string} version @param {string} floor */
function isOlder(version, floor) {
  const [major, minor] = version.split('.').map(Number);
  const [floorMajor, floorMinor] = floor.split('.').map(Number);
  return major < floorMajor || (major === floorMajor && minor < floorMinor);
}

/**
 * What is known without looking far: another runtime, system or processor.
 * @returns {string | null} why not, and what to do; null: nothing speaks against it
 */
function unsupportedReason() {
  const { versions, platform, arch, config } = process;
  if (versions.deno !== undefined) return `this is Deno ${versions.deno}; run the program with Node.js`;
  if (versions.bun !== undefined) return `this is Bun ${versions.bun}; run the program with Node.js`;
  if (platform !== 'linux') return `this system is ${platform}; record on Linux (x86-64, glibc), in a container too`;
  if (arch !== 'x64') return `this Node.js is for ${arch}; use one for x64`;
  if (Number(versions.node.split('.')[0]) < 18) return `this is Node.js ${versions.node}; use version 18 or later`;
  const variables = /** @type {Record<string, unknown>} */ (config.variables);
  if (Number(variables.v8_enable_pointer_compression ?? 0) === 1) {
    return 'this Node.js was built with pointer compression, whose heap spprof does not read; use an ordinary build';
  }
  return null;
}

/**
 * Why the addon, which did not load, cannot have loaded here: asked only then, since it takes some time.
 * @returns {string | null}
 */
function unsupportedLibc() {
  const version = glibcVersion();
  if (version === null) return `this system's libc is not glibc (musl, as in Alpine?); use an image with glibc`;
  if (!isOlder(version, OLDEST_GLIBC)) return null;
  return `this system's glibc is ${version}; ${OLDEST_GLIBC} or later is needed`;
}

module.exports = { OLDEST_GLIBC, glibcVersion, unsupportedReason, unsupportedLibc };
