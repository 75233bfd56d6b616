'use strict';

const { errors, codeOf, messageOf, systemReason } = require('../../lib/base/errors');

describe('the catalogue of errors', () => {
  test('names the option, what was given and what is allowed', () => {
    const error = errors.optionRange('maxFrames', 0, 'an integer from 1 to 4096');
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      ...{ code: 'ERR_SPPROF_OPTION_RANGE', option: 'maxFrames', given: 0, allowed: 'an integer from 1 to 4096' },
      message: 'maxFrames must be an integer from 1 to 4096, not 0',
    });
  });

  test('a wrong type is a TypeError', () => {
    expect(errors.optionType('mode', 5, "one of 'cpu'")).toBeInstanceOf(TypeError);
  });

  test('every error has a code of its own name space and a message of one line', () => {
    const all = Object.values(errors).map((make) => /** @type {Function} */ (make)('a', null, ['b'], null));
    for (const error of all) {
      expect(error.code).toMatch(/^ERR_SPPROF_[A-Z_]+$/);
      expect(error.message).not.toMatch(/\n/);
    }
  });

  test('values are shown on one line and shortened', () => {
    expect(errors.optionType('dir', 'x'.repeat(500), 'a path').message.length).toBeLessThan(160);
    expect(errors.optionType('dir', ['a'], 'a path').message).toContain('not an array');
    expect(errors.optionType('dir', 'a\nb', 'a path').message).toContain('"a\\nb"');
  });

  test('codeOf() and messageOf() take whatever was thrown', () => {
    expect(codeOf(undefined)).toBe('');
    expect(codeOf(Object.assign(new Error('x'), { code: 3 }))).toBe('');
    expect(messageOf('text')).toBe('text');
    expect(messageOf(new Error('two\n  lines'))).toBe('two lines');
  });

  test('system errors have plain words', () => {
    expect(systemReason(Object.assign(new Error('EACCES: x'), { code: 'EACCES' }))).toBe('permission denied');
    expect(systemReason(new Error('other'))).toBe('other');
  });
});
