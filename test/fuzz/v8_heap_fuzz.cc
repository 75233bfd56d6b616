// V8's heap objects as the handler reads them: functions, names, strings, code, position tables,
// WebAssembly. The input is the version's layout, a list of changes to a heap, and where to look.
#include "fuzz_target.h"
#include "signal_safe/v8_heap/v8_reader.h"
#include "v8_heap_support.h"
#include "wasm_support.h"

namespace spprof::fuzz {

namespace {

using test::V8Heap;

struct Change {
  uint16_t word;
  uint8_t kind;
  uint8_t reserved;
  uint32_t value;
};

struct Head {
  uint8_t family;
  uint8_t object;
  uint16_t offset;
};

class Heap {
 public:
  explicit Heap(const V8Layout& layout) : heap_(layout) {
    const auto table = [&](uint8_t at, uint64_t word) {
      return test::TableOf(layout.position_encoding, at, word);
    };
    const uint64_t script =
        heap_.Script(1, heap_.OneByte("file:///a.js"), heap_.OneByte("a\nb\r\nc(d)\n"));
    const uint64_t name = heap_.OneByte("name");
    const uint64_t scope = heap_.ScopeInfo(
        {.locals = 3, .has_name = true, .name = name, .inferred_name = name, .start = 2, .end = 8});
    const uint64_t wide = heap_.TwoByte(u"wi\u2028de");
    const uint64_t shared = heap_.Shared(scope, script, 1);
    objects_ = {
        script, scope, name, wide, heap_.FixedArray({1, 2, 3}), shared, heap_.Function(shared)};
    objects_.push_back(heap_.Cons(name, wide, 9, false));
    objects_.push_back(heap_.Sliced(name, 1, 2, true));
    objects_.push_back(heap_.Thin(name, 4, true));
    code_ = heap_.Code(layout.kind_turbofan, 256, shared,
                       {{shared},
                        {{test::Position(5, 0), 0}, {test::Position(6, 1), 0}},
                        table(0, test::Position(7, 2))});
    objects_.push_back(
        heap_.BytecodeArray(std::vector<uint8_t>(20), table(4, test::Position(123, 0))));
    wasm_ = heap_.Wasm(test::WasmModule(2, {"a", "b", "c", "d", "e", "f", "g", "h"}), script, 8);
    objects_.push_back(wasm_.instance);
    words_ = heap_.used() / 8;
    good_.assign(heap_.words(), heap_.words() + words_);
  }

  void Run(const Head& head, Input* input) {
    while (!input->is_empty()) Apply(input->Take<Change>());
    Look(head);
    std::copy(good_.begin(), good_.end(), heap_.words());
  }

 private:
  void Apply(const Change& change) {
    uint64_t& word = heap_.words()[change.word % words_];
    switch (change.kind % 8) {
      case 0:
        word = V8Heap::Smi(static_cast<int32_t>(change.value));
        break;
      case 1:
        word = heap_.address() + change.value % (words_ * 8 + 4096) + 1;
        break;
      case 2:
        word = objects_[change.value % objects_.size()];
        break;
      case 3:
        word = good_[change.value % words_];
        break;
      case 4:
        word = heap_.address() + V8Heap::kBytes - change.value % 64;  // straddles its end
        break;
      case 5:
        word = (word & ~uint64_t{UINT32_MAX}) | change.value;
        break;
      case 6:
        word = uint64_t{change.value} << (change.kind >> 3);
        break;
      default:
        word = (word & UINT32_MAX) | uint64_t{change.value} << 32;
    }
  }

  void Look(const Head& head) {
    KnownMaps maps;
    const V8Reader reader(heap_.v8, &maps);
    const uint64_t object = objects_[head.object % objects_.size()];
    FunctionIdentity function;
    uint32_t number;
    if (reader.ReadFunction(object, &function) || reader.ReadShared(object, &function))
      LookAtFunction(reader, function);
    if (reader.IsBytecodeArray(object)) reader.PlaceInBytecode(object, head.offset % 32);
    reader.ReadBytecodeOffset(object, V8Heap::Smi(head.offset), &number);
    char16_t characters[40];
    Text text{characters, 32};
    if (reader.ReadSource(object, head.offset % 64, &text)) CheckText(text);
    if (reader.ReadScriptName(object, &text)) CheckText(text);
    if (reader.ReadOwnMap(object, head.offset % 64, &text, &number)) CheckText(text);
    int32_t line, column;
    reader.ReadScriptShape(object, &number, &line, &column);
    reader.ReadEvalOrigin(object, &function, &number);
    LookAtCode(reader, code_ + head.offset % 300, object);
    LookAtWasm(reader, wasm_.code[head.offset % wasm_.code.size()] + head.offset / 64 % 64, object);
  }
  static void CheckText(const Text& text) {
    Require(text.length <= text.capacity, "a text is longer than its room");
  }
  static void LookAtFunction(const V8Reader& reader, const FunctionIdentity& function) {
    char16_t characters[40];
    Text text{characters, 32};
    FunctionPositions positions;
    uint8_t lines[24];
    if (reader.ReadName(function, &text)) CheckText(text);
    reader.ReadPositions(function, &positions);
    Require(reader.ReadLineLengths(function, positions, 4096, lines, 16) <= 16,
            "lines outgrow their room");
  }
  static void LookAtCode(const V8Reader& reader, uint64_t pc, uint64_t bytecodes) {
    CodeObject code;
    FunctionIdentity function;
    InlineWalk walk;
    if (!reader.FindCode(pc, &code)) return;
    const auto offset = static_cast<uint32_t>(pc - code.instruction_start);
    reader.ReadOptimizedFunction(code, &function);
    reader.IsBaselineOf(code, bytecodes);
    reader.PlaceInBaseline(code, bytecodes, offset);
    if (!reader.BeginInlineWalk(code, offset, &walk)) return;
    int steps = 0;
    while (walk.at.inlining_id != 0 && reader.StepInlineWalk(&walk, &function))
      Require(++steps <= 1 << 16, "the walk of inlined calls does not end");
  }
  void LookAtWasm(const V8Reader& reader, uint64_t pc, uint64_t instance) {
    FunctionIdentity function;
    WasmCode code;
    if (!reader.ReadWasmScript(instance, &function) || !reader.FindWasmCode(pc, instance, &code))
      return;
    if (reader.ReadWasmIndex(function.script, code.slot, &function.literal_id) != WasmAnswer::kYes)
      return;
    LookAtFunction(reader, function);
  }

  V8Heap heap_;
  std::vector<uint64_t> objects_;
  uint64_t code_;
  test::WasmInstance wasm_;
  size_t words_;
  std::vector<uint64_t> good_;
};

}  // namespace

const uint64_t kMaxCpuNs = kHandlerCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (uint8_t family = 0; family < 4; family++) {
    for (uint8_t object = 0; object < 12; object++) {
      std::string seed;
      Append(&seed, Head{family, object, static_cast<uint16_t>(object * 67)});
      Append(&seed, Change{object, static_cast<uint8_t>(object % 8), 0, 3});
      seeds.push_back(seed);
    }
  }
  return seeds;
}

void RunOne(Bytes bytes) {
  static Heap* const heaps[] = {new Heap(test::LayoutOfNode18()), new Heap(test::LayoutOfNode22()),
                                new Heap(test::LayoutOfNode24()), new Heap(test::LayoutByType())};
  Input input(bytes.subspan(0, std::min<size_t>(bytes.size(), 1024)));
  const auto head = input.Take<Head>();
  heaps[head.family % std::size(heaps)]->Run(head, &input);
}

}  // namespace spprof::fuzz
