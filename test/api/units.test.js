'use strict';

const { parseMicroseconds, formatNs, formatCount, formatPercent, plural } = require('../../lib/base/units');
const { distance, nearest } = require('../../lib/base/nearest');

test.each([
  ['250', 250],
  ['250us', 250],
  ['250 µs', 250],
  ['10ms', 10_000],
  ['1.5s', 1_500_000],
  ['0.1ms', 100],
  ['.5ms', 500],
  ['100ns', 0.1],
  ['1MS', 1000],
])('parseMicroseconds(%j) is %d', (text, us) => {
  expect(parseMicroseconds(text)).toBe(us);
});

test.each(['', 'ms', '-1', '1h', '1e3', 'ten', '1 2', '0x10', '1.ms2', 'NaN'])(
  'parseMicroseconds(%j) is null',
  (text) => {
    expect(parseMicroseconds(text)).toBeNull();
  },
);

test.each([
  [0, '0 ns'],
  [999, '999 ns'],
  [1200, '1.2 µs'],
  [4_000_000, '4 ms'],
  [4_612_345_678, '4.61 s'],
  [4_612_345_678_900, '4612 s'],
])('formatNs(%d) is %j', (ns, text) => {
  expect(formatNs(ns)).toBe(text);
});

test('counts, percentages and plurals', () => {
  expect(formatCount(1234567)).toBe('1,234,567');
  expect(formatCount(12)).toBe('12');
  expect(formatPercent(1, 3)).toBe('33.3 %');
  expect(formatPercent(1, 0)).toBe('0.0 %');
  expect([plural(1, 'sample'), plural(2, 'sample')]).toEqual(['1 sample', '2 samples']);
});

test('distance() counts a transposition once', () => {
  expect(distance('interval', 'intreval')).toBe(1);
  expect(distance('', 'abc')).toBe(3);
});

test('nearest() finds the mistyped and leaves the unlike', () => {
  expect(nearest('intervalus', ['mode', 'intervalUs'])).toBe('intervalUs');
  expect(nearest('interval', ['mode', 'intervalUs'])).toBe('intervalUs');
  expect(nearest('zzz', ['mode', 'intervalUs'])).toBeNull();
});
