// Writes detail records: what a frame or a stack is, once for each thread (docs/design/walking.md
// 4). A definition counts as written only when it is in the lane; when there is no room the caller
// drops the sample and the next one tries again.
//
// Context: signal, on the thread itself; or the drain, with a lane and a state of its own.
#pragma once

#include "region/layout.h"
#include "signal_safe/v8_heap/v8_reader.h"
#include "signal_safe/walk/walk_state.h"

namespace spprof {

class Definitions {
 public:
  Definitions(ThreadLaneSet* lanes, uint8_t* region, WalkState* state, const V8Reader& reader)
      : Definitions(&lanes->detail, region, state, reader) {}
  // Into another lane, whose rings are `bytes` and what follows; all maps together may have
  // `map_budget` characters.
  Definitions(Lane* lane, uint8_t* bytes, WalkState* state, const V8Reader& reader,
              uint32_t map_budget = UINT32_MAX)
      : writer_(lane, bytes), state_(state), reader_(reader), map_budget_(map_budget) {}

  // The function's id; 0 when there was no room.
  uint32_t FunctionId(const FunctionIdentity& function);
  // The id of a stack of `count` frames, leaf first; 0 when there was no room.
  uint32_t StackId(const Frame* frames, uint32_t count);
  // Of a block's label and those it lies within. False: there was no room.
  bool DefineLabels(uint32_t label);

  // A full ring was handed to the drain, which should be woken.
  bool swapped() const { return swapped_; }

 private:
  bool IsLabelDefined(uint32_t label) const {
    return state_->labels[label % kLabelTableSize] == label;
  }
  bool DefineScript(const FunctionIdentity& function);
  // The map in the script's text, if there is one: what there is room for, and the rest at the next
  // sample. False: there is a rest.
  bool DefineMap(const FunctionIdentity& function);
  // Where it is in its table, or would be.
  FunctionEntry* FindFunction(uint64_t key);
  int32_t* FindScript(int32_t script_id);

  LaneWriter writer_;
  WalkState* state_;
  const V8Reader& reader_;
  uint32_t map_budget_;
  bool swapped_ = false;
  uint32_t evals_within_ = 0;  // that are being defined
};

}  // namespace spprof
