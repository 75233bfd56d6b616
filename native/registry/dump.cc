#include "registry/dump.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "registry/totals.h"

namespace spprof {

namespace {

[[gnu::format(printf, 2, 3)]] void Print(std::string* out, const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  *out += line;
}

const char* StateName(uint32_t state) {
  switch (static_cast<SlotState>(state)) {
    case SlotState::kFree:
      return "free";
    case SlotState::kActive:
      return "active";
    case SlotState::kRetired:
      return "retired";
  }
  return "damaged";
}

const char* KindName(uint32_t kind) {
  static constexpr const char* kNames[] = {"native", "main", "worker"};
  return kind < std::size(kNames) ? kNames[kind] : "damaged";
}

uint32_t Get(const Word& word) { return word.load(std::memory_order_relaxed); }
uint64_t Get(const Sequence& word) { return word.load(std::memory_order_relaxed); }

void PrintCounters(const Counters& counters, std::string* out) {
  Print(out, "signals %" PRIu64 " = written %" PRIu64, Get(counters.signals),
        Get(counters.written));
  for (size_t i = 0; i < static_cast<size_t>(DropReason::kCount); i++) {
    const uint64_t dropped = Get(counters.dropped[i]);
    if (dropped != 0)
      Print(out, " + %s %" PRIu64, DropReasonName(static_cast<DropReason>(i)), dropped);
  }
  Print(out, "; overruns %" PRIu64 "; handler %" PRIu64 " us in all, %" PRIu64 " us at most\n",
        Get(counters.overruns), Get(counters.handler_total_ns) / 1000,
        Get(counters.handler_max_ns) / 1000);
}

void PrintLane(const char* name, const Lane& lane, std::string* out) {
  Print(out, "    %-6s %" PRIu64 " records, %" PRIu64 " swaps%s;", name, Get(lane.events_written),
        Get(lane.swaps), Get(lane.marked) != 0 ? ", marked" : "");
  for (uint32_t i = 0; i < lane.ring_count && i < kMaxRingsPerLane; i++) {
    const uint64_t head = Get(lane.rings[i].head), tail = Get(lane.rings[i].tail);
    Print(out, " ring %u: %" PRIu64 " of %u bytes%s%s", i, head - tail, lane.ring_size,
          Get(lane.active) == i ? " (active)" : "", i + 1 < lane.ring_count ? "," : "\n");
  }
}

void PrintSlot(const ThreadLaneSet& lanes, uint32_t slot, std::string* out) {
  char name[sizeof(lanes.name) + 1] = {};
  std::memcpy(name, lanes.name, sizeof(lanes.name));
  for (char* c = name; *c != '\0'; c++) {
    if (*c < ' ' || *c == 0x7f) *c = '?';
  }
  Print(out, "slot %u: %s, generation %u, thread %u \"%s\" (%s%s), began at tick %" PRIu64 "\n    ",
        slot, StateName(Get(lanes.state)), Get(lanes.generation), lanes.tid, name,
        KindName(Get(lanes.kind)), Get(lanes.has_javascript) != 0 ? ", runs JavaScript" : "",
        lanes.start_ticks);
  PrintCounters(lanes.counters, out);
  PrintLane("index", lanes.index, out);
  PrintLane("detail", lanes.detail, out);
}

}  // namespace

std::string DumpRegion(const RegionMap& region) {
  std::string out;
  const RegionHeader* header = region.header();
  const RegionGeometry& geometry = region.geometry();
  Print(&out, "region of process %u: %u blocks of %u slots, at most %u threads\n", header->pid,
        region.block_count(), kSlotsPerBlock, header->max_threads);
  Print(&out, "rings: index %u x %u bytes, detail %u x %u bytes a thread\n",
        geometry.index_ring_count, geometry.index_ring_size, geometry.detail_ring_count,
        geometry.detail_ring_size);
  Print(&out, "threads: %u now, %u seen, %u refused; registrations %s, samples %s%s\n",
        Get(header->thread_count), Get(header->threads_seen), Get(header->threads_refused),
        Get(header->accepting_registrations) != 0 ? "accepted" : "refused",
        Get(header->accepting_samples) != 0 ? "accepted" : "refused",
        Get(header->shutdown_requested) != 0 ? ", shutting down" : "");
  out += "threads that have gone: ";
  PrintCounters(header->retired, &out);
  for (uint32_t slot = 0; slot < region.slot_count(); slot++) {
    const ThreadLaneSet& lanes = *region.Slot(slot);
    if (Get(lanes.state) != static_cast<uint32_t>(SlotState::kFree)) PrintSlot(lanes, slot, &out);
  }
  return out;
}

}  // namespace spprof
