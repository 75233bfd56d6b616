'use strict';

/** Names of native code, shortened as their language allows: never empty, never alike where they differ. */

const { shortNames, shortNativeName } = require('../../lib/recording/native-names');

test.each([
  // C++
  ['v8::internal::Heap::Collect(v8::internal::Space, int)', 'v8::internal::Heap::Collect'],
  ['void std::sort<int*, less<int> >(int*, int*)', 'std::sort'],
  ['decltype(auto) foo<int>()', 'foo'],
  ['std::vector<std::pair<int, char>>::push_back(int const&) const', 'std::vector::push_back'],
  ['std::map<int, int>::at', 'std::map::at'],
  ['foo(int)::{lambda(int, char)#1}::_FUN(int, char)', 'foo::{lambda#1}::_FUN'],
  ['std::function<void (int)>::operator()(int) const', 'std::function<void (int)>::operator()(int) const'],
  ['node::(anonymous namespace)::run(int) [clone .part.0]', 'node::{anonymous}::run'],
  ['int const& a::b(std::function<void (int)>)', 'a::b'],
  ['Foo::~Foo()', 'Foo::~Foo'],
  ['void (*signal(int))(int)', 'void (*signal(int))(int)'],
  // Rust: of impls, legacy and v0 demanglers, and what C++'s demangler makes of the legacy form
  ['<alloc::vec::Vec<T> as core::clone::Clone>::clone', '<alloc::vec::Vec as core::clone::Clone>::clone'],
  ['<alloc::vec::Vec<T>>::push', '<alloc::vec::Vec>::push'],
  ['<fn(A) -> B as x::Y<Z>>::call', '<fn(A) -> B as x::Y>::call'],
  ['core::ptr::drop_in_place::<alloc::string::String>', 'core::ptr::drop_in_place'],
  ['core::ptr::drop_in_place<fn(u8) -> u8>', 'core::ptr::drop_in_place'],
  ['temporal_rs::parse::h0123456789abcdef', 'temporal_rs::parse'],
  [
    '_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..clone..Clone$GT$::clone::h0123456789abcdef',
    '<alloc::vec::Vec as core::clone::Clone>::clone',
  ],
  ['app::main::{{closure}}', 'app::main::{{closure}}'],
  ['_RNvCs1234_7mycrate3foo', '_RNvCs1234_7mycrate3foo'],
  // Go, JavaScript, Ruby, Python, Java
  ['main.(*Server).handle', 'main.(*Server).handle'],
  ['net/http.(*conn).serve', 'net/http.(*conn).serve'],
  ['main.Map[go.shape.int]', 'main.Map[go.shape.int]'],
  ['JS:*handleRequest /srv/app.js:10:5', 'JS:*handleRequest /srv/app.js:10:5'],
  ['<main> - app.rb:3', '<main> - app.rb:3'],
  ['block (2 levels) in Foo::Bar#baz - app.rb:3', 'block (2 levels) in Foo::Bar#baz - app.rb:3'],
  ['<module> (app.py:1)', '<module> (app.py:1)'],
  ['work (app.py:10)', 'work (app.py:10)'],
  ['java/util/HashMap.put', 'java/util/HashMap.put'],
  ['a < b', 'a < b'],
  ['<', '<'],
  ['>', '>'],
  ['()', '()'],
])('%j becomes %j', (long, short) => {
  expect(shortNativeName(long)).toBe(short);
});

test('what would look alike stays whole', () => {
  const names = ['std::sort<int>(int*)', 'std::sort<char>(char*)', 'std::find<int>(int*)'];
  const short = shortNames(names);
  expect(names.map(short)).toEqual(['std::sort<int>(int*)', 'std::sort<char>(char*)', 'std::find']);
});

test('a name of a megabyte takes no longer than it is long', () => {
  for (const name of [
    `f<${'a<b>,'.repeat(200_000)}>(int)`,
    '<'.repeat(1e6),
    'a ('.repeat(3e5),
    `${' const'.repeat(2e5)}x`,
  ]) {
    expect(shortNativeName(name)).not.toBe('');
  }
});
