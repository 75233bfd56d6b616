'use strict';

const { C_LIBRARY, SYSTEM_CALL } = require('../recording/system-calls');

/**
 * The kinds that a flame graph colours frames by. Kernel boundary: a function of the C library that does little but call the
 * kernel, so that time under it is the kernel's.
 *
 * @typedef {import('../../binding').NativeFrame} Frame
 * @typedef {'app' | 'dependency' | 'core' | 'builtin' | 'native' | 'system' | 'gc' | 'compilation' | 'other'} PageKind
 */

/** @param {Frame} frame @returns {PageKind} */
function pageKind({ kind, url, functionName, module }) {
  switch (kind) {
    case 'js':
    case 'unknown-js':
      if (url.startsWith('node:')) return 'core';
      return /(^|[\\/])node_modules[\\/]/.test(url) ? 'dependency' : 'app';
    case 'builtin':
    case 'gc':
    case 'compilation':
      return kind;
    case 'reason':
      return functionName === '(V8 helper)' || functionName === '(native thread)' ? 'other' : 'core';
    case 'native':
      return C_LIBRARY.test(module) && SYSTEM_CALL.test(functionName) ? 'system' : 'native';
    default:
      return 'other';
  }
}

module.exports = { pageKind };
