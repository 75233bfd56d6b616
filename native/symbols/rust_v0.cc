#include "symbols/rust_v0.h"

#include <cstdint>

#include "symbols/rust_v0_cursor.h"

namespace spprof {

namespace {

constexpr int kMaxDepth = 200;

// By letter, from a to z; null: a letter of the grammar's.
constexpr const char* kBasicTypes[] = {"i8",   "bool",  "char",  "f64",   "str", "f32", nullptr,
                                       "u8",   "isize", "usize", nullptr, "i32", "u32", "i128",
                                       "u128", "_",     nullptr, nullptr, "i16", "u16", "()",
                                       "...",  nullptr, "i64",   "u64",   "!"};
static_assert(sizeof(kBasicTypes) / sizeof(*kBasicTypes) == 26);

// Reads a name by the grammar's rules, a function each, and writes what they stand for. Once
// something is wrong, all else does nothing.
class Reader : private RustV0Cursor {
 public:
  explicit Reader(std::string_view text) : RustV0Cursor(text) {}

  std::optional<std::string> Read() {
    Path(true);
    // The crate that has instantiated it says nothing to a reader.
    if (IsUpper(Peek())) {
      is_silent_ = true;
      Path(false);
    }
    const char next = Peek();
    if (next != '\0' && next != '.' && next != '$') Fail();
    if (has_failed_) return std::nullopt;
    return std::move(out_);
  }

 private:
  // Counts how deeply rules are nested.
  class Nested {
   public:
    explicit Nested(Reader* reader) : reader_(reader) {
      if (++reader_->depth_ > kMaxDepth) reader_->Fail();
    }
    ~Nested() { reader_->depth_--; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Reader* reader_;
  };

  void Write(std::string_view text) {
    if (is_silent_ || has_failed_) return;
    out_ += text;
    if (out_.size() > kMaxRustNameLength) Fail();
  }

  // Runs `rule` where the name refers back to.
  template <typename Rule>
  void Backref(const Rule& rule) {
    const size_t here = at_ - 1;
    const uint64_t target = Base62();
    if (has_failed_ || target >= here) return Fail();
    if (is_silent_) return;
    const size_t behind = at_;
    at_ = target;
    rule();
    if (!has_failed_) at_ = behind;
  }

  void Path(bool is_value) {
    const Nested nested(this);
    switch (Next()) {
      case 'C':
        Optional62('s');
        return Write(Identifier());
      case 'N':
        return NestedPath(is_value);
      case 'M':
        ImplPath();
        Write("<");
        Type();
        return Write(">");
      case 'X':
        ImplPath();
        return QualifiedPath();
      case 'Y':
        return QualifiedPath();
      case 'I':
        Path(is_value);
        if (is_value) Write("::");
        Write("<");
        List([this] { GenericArgument(); });
        return Write(">");
      case 'B':
        return Backref([&] { Path(is_value); });
      default:
        return Fail();
    }
  }

  void NestedPath(bool is_value) {
    const char space = Next();
    if (!IsUpper(space) && !IsLower(space)) return Fail();
    Path(is_value);
    const uint64_t disambiguator = Optional62('s');
    const std::string name = Identifier();
    if (IsLower(space)) {
      if (!name.empty()) Write("::" + name);
      return;
    }
    Write("::{");
    Write(space == 'C' ? "closure" : space == 'S' ? "shim" : std::string(1, space));
    if (!name.empty()) Write(":" + name);
    Write("#" + std::to_string(disambiguator) + "}");
  }

  // Where an implementation stands, which its type says better.
  void ImplPath() {
    const bool was_silent = is_silent_;
    is_silent_ = true;
    Optional62('s');
    Path(false);
    is_silent_ = was_silent;
  }

  void QualifiedPath() {
    Write("<");
    Type();
    Write(" as ");
    Path(false);
    Write(">");
  }

  // What `item` reads, until E.
  template <typename Item>
  void List(const Item& item) {
    for (bool is_first = true; !has_failed_ && !Eat('E'); is_first = false) {
      if (!is_first) Write(", ");
      item();
    }
  }

  void GenericArgument() {
    if (Eat('L')) return Lifetime(Base62());
    if (Eat('K')) return Const();
    Type();
  }

  // 0: erased; 1: of the innermost binder.
  void Lifetime(uint64_t index) {
    if (index == 0) return Write("'_");
    if (index > bound_lifetimes_) return Fail();
    const uint64_t number = bound_lifetimes_ - index;
    Write("'");
    if (number < 26) return Write(std::string(1, static_cast<char>('a' + number)));
    Write("_" + std::to_string(number));
  }

  // Lifetimes that are bound by `for<…>` within `body`.
  template <typename Body>
  void Bound(const Body& body) {
    const uint64_t count = Optional62('G');
    if (count > kMaxDepth) return Fail();
    const uint64_t before = bound_lifetimes_;
    if (count > 0) {
      Write("for<");
      for (uint64_t i = 0; i < count; i++) {
        if (i > 0) Write(", ");
        bound_lifetimes_++;
        Lifetime(1);
      }
      Write("> ");
    }
    body();
    bound_lifetimes_ = before;
  }

  void Type() {
    const Nested nested(this);
    const char tag = Next();
    if (IsLower(tag) && kBasicTypes[tag - 'a'] != nullptr) return Write(kBasicTypes[tag - 'a']);
    switch (tag) {
      case 'A':
        Write("[");
        Type();
        Write("; ");
        Const();
        return Write("]");
      case 'S':
        Write("[");
        Type();
        return Write("]");
      case 'T':
        return Tuple();
      case 'R':
      case 'Q':
        return Reference(tag == 'Q');
      case 'P':
        Write("*const ");
        return Type();
      case 'O':
        Write("*mut ");
        return Type();
      case 'F':
        return Bound([this] { Function(); });
      case 'D':
        Write("dyn ");
        Bound([this] { Traits(); });
        if (!Eat('L')) return Fail();
        if (const uint64_t index = Base62(); index != 0) {
          Write(" + ");
          Lifetime(index);
        }
        return;
      case 'B':
        return Backref([this] { Type(); });
      default:
        if (has_failed_) return;
        at_--;
        return Path(false);
    }
  }

  void Tuple() {
    Write("(");
    size_t count = 0;
    List([&] {
      count++;
      Type();
    });
    Write(count == 1 ? ",)" : ")");
  }

  void Reference(bool is_mutable) {
    Write("&");
    if (Eat('L')) {
      if (const uint64_t index = Base62(); index != 0) {
        Lifetime(index);
        Write(" ");
      }
    }
    if (is_mutable) Write("mut ");
    Type();
  }

  void Function() {
    if (Eat('U')) Write("unsafe ");
    if (Eat('K')) {
      std::string abi = Eat('C') ? "C" : Identifier();
      for (char& c : abi) c = c == '_' ? '-' : c;
      Write("extern \"" + abi + "\" ");
    }
    Write("fn(");
    List([this] { Type(); });
    Write(")");
    if (Eat('u')) return;
    Write(" -> ");
    Type();
  }

  void Traits() {
    for (bool is_first = true; !has_failed_ && !Eat('E'); is_first = false) {
      if (!is_first) Write(" + ");
      Trait();
    }
  }

  // A path, and the types that it names, both within its angle brackets.
  void Trait() {
    const bool is_open = OpenPath();
    bool has_arguments = is_open;
    while (Eat('p')) {
      Write(has_arguments ? ", " : "<");
      has_arguments = true;
      Write(Identifier() + " = ");
      Type();
    }
    if (has_arguments) Write(">");
  }

  // Leaves the angle bracket of a generic path open. False: it has none.
  bool OpenPath() {
    const Nested nested(this);
    if (Eat('B')) {
      bool is_open = false;
      Backref([&] { is_open = OpenPath(); });
      return is_open;
    }
    if (!Eat('I')) {
      Path(false);
      return false;
    }
    Path(false);
    Write("<");
    List([this] { GenericArgument(); });
    return true;
  }

  void Const() {
    const Nested nested(this);
    if (Eat('p')) return Write("_");
    if (Eat('B')) return Backref([this] { Const(); });
    const char type = Next();
    if (type == '\0' || std::string_view("abchijlmnostxy").find(type) == std::string_view::npos)
      return Fail();
    const bool is_negative = Eat('n');
    const size_t begin = at_;
    while (IsDigit(Peek()) || (Peek() >= 'a' && Peek() <= 'f')) at_++;
    const std::string_view digits = text_.substr(begin, at_ - begin);
    if (!Eat('_')) return Fail();
    ConstValue(type, is_negative, digits);
  }

  void ConstValue(char type, bool is_negative, std::string_view digits) {
    if (digits.size() > 16) return Write((is_negative ? "-0x" : "0x") + std::string(digits));
    uint64_t value = 0;
    for (const char c : digits)
      value = value * 16 + static_cast<uint64_t>(IsDigit(c) ? c - '0' : c - 'a' + 10);
    if (type == 'b') {
      if (value > 1) return Fail();
      return Write(value == 1 ? "true" : "false");
    }
    if (type == 'c') {
      if (value >= ' ' && value < 0x7f)
        return Write(std::string("'") + static_cast<char>(value) + "'");
      return Write("'\\u{" + std::string(digits) + "}'");
    }
    Write((is_negative ? "-" : "") + std::to_string(value));
  }

  int depth_ = 0;
  uint64_t bound_lifetimes_ = 0;
  bool is_silent_ = false;
  std::string out_;
};

}  // namespace

std::optional<std::string> DemangleRustV0(std::string_view symbol) {
  if (symbol.substr(0, 2) != "_R" || symbol.size() < 3) return std::nullopt;
  // A version may stand behind it; there is none but the first, which is not written.
  if (!RustV0Cursor::IsUpper(symbol[2])) return std::nullopt;
  return Reader(symbol.substr(2)).Read();
}

}  // namespace spprof
