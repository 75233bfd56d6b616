// Recovery: the region that a dead process has left, damaged, and the log to which the rest is
// appended. The input is a list of changes to a region with samples in it.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>

#include "core_support.h"
#include "fuzz_target.h"
#include "log/log_writer.h"
#include "log_contents.h"
#include "log_seeds.h"
#include "platform/region_map.h"
#include "region/lane.h"
#include "registry/thread_registry.h"
#include "session/profiler.h"

namespace spprof::fuzz {

namespace {

struct Change {
  uint8_t kind;
  uint8_t slot;
  uint16_t at;
  uint64_t value;
};
enum ChangeKind : uint8_t { kHeader, kSlot, kRing, kByte, kSize, kLog, kKinds };

constexpr int kSlotsUsed = 4;

// Written once; each input changes what is mapped, and takes it back.
class Recorded {
 public:
  Recorded() {
    Make();
    region_ = test::ReadFile(folder_ / "region");
    log_ = test::ReadFile(folder_ / "log");
    fd_ = open((folder_ / "region").c_str(), O_RDWR | O_CLOEXEC);
    Require(fd_ >= 0, "the region is gone");
  }
  const std::string& region() const { return region_; }
  const std::string& folder() const { return folder_.path(); }
  const RegionGeometry& geometry() const { return geometry_; }

  void Write(const std::vector<Change>& changes) {
    const uint64_t slots_end = geometry_.SlotOffset(kSlotsUsed);
    Put(0, region_.substr(0, slots_end));  // what a recovery itself has changed
    std::string log = log_;
    uint64_t size = region_.size();
    for (const Change& change : changes) Apply(change, &size, &log);
    Require(ftruncate(fd_, static_cast<off_t>(size)) == 0, "truncating failed");
    test::WriteFile(folder_ / "log", log);
  }
  void TakeBack(const std::vector<Change>& changes) {
    Require(ftruncate(fd_, static_cast<off_t>(region_.size())) == 0, "truncating failed");
    bool was_cut = false;
    for (const Change& change : changes) was_cut = was_cut || change.kind % kKinds == kSize;
    if (was_cut) return Put(0, region_);
    for (const Change& change : changes) {
      const uint64_t at = OffsetOf(change);
      if (at < region_.size()) Put(at, region_.substr(at, sizeof(change.value)));
    }
  }

 private:
  void Make() {
    geometry_.index_ring_size = geometry_.detail_ring_size = 4096;
    std::unique_ptr<RegionMap> region;
    Require(RegionMap::Create(folder_ / "region", 64, geometry_, &region).ok(), "no region");
    region->header()->accepting_registrations.store(1);
    ThreadRegistry registry(region.get());
    const LogSeed records = SeedRecords();
    for (pid_t tid = 1; tid <= kSlotsUsed; tid++) {
      const uint32_t slot = registry.Claim(tid, ThreadKind::kNative, "x", 0);
      registry.Activate(slot);
      Fill(region.get(), &region->Slot(slot)->detail, records.detail, 4);
      Fill(region.get(), &region->Slot(slot)->index, records.index, 10 * tid);
    }
    LogWriter log;
    Require(log.Create(folder_ / "log").ok(), "no log");
    log.AddStat("before", 1);
    log.Flush();
  }
  static void Fill(RegionMap* region, Lane* lane, const std::string& records, int times) {
    LaneWriter writer(lane, region->base());
    bool swapped = false;
    for (int i = 0; i < times && writer.Reserve(records.size(), &swapped); i++)
      writer.Write(records.data(), records.size());
  }

  uint64_t OffsetOf(const Change& change) const {
    const uint32_t slot = change.slot % (kSlotsUsed + 2);
    switch (change.kind % kKinds) {
      case kHeader:
        return change.at % 1024 & ~7u;
      case kSlot:
        return geometry_.SlotOffset(slot) + (change.at % sizeof(ThreadLaneSet) & ~7u);
      case kRing:
        return geometry_.RingsOffset(slot) + (change.at % geometry_.RingBytesPerSlot() & ~7u);
      default:
        return (change.slot << 16 | change.at) & ~7u;
    }
  }
  void Apply(const Change& change, uint64_t* size, std::string* log) {
    const uint8_t kind = change.kind % kKinds;
    if (kind == kSize) {
      *size = change.value % (region_.size() + 4096);
    } else if (kind == kLog) {
      if (change.slot == 0) log->resize(change.at % (log->size() + 1));
      if (!log->empty()) (*log)[change.at % log->size()] = static_cast<char>(change.value);
    } else if (const uint64_t at = OffsetOf(change); at + sizeof(change.value) <= region_.size()) {
      std::string bytes;
      Append(&bytes, change.value);
      // Half of the changes are of one field of four bytes.
      Put(at + (change.kind & 0x40 ? 4 : 0),
          (change.kind & 0x80) != 0 ? bytes.substr(0, 4) : bytes);
    }
  }
  void Put(uint64_t at, const std::string& bytes) {
    Require(pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
                static_cast<ssize_t>(bytes.size()),
            "writing the region failed");
  }

  test::TemporaryFolder folder_;
  RegionGeometry geometry_;
  std::string region_, log_;
  int fd_;
};

}  // namespace

const uint64_t kMaxCpuNs = kReaderCpuNs;

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds = {std::string(1, '\0')};
  for (uint8_t kind = 0; kind < kKinds; kind++) {
    std::string seed;
    for (uint16_t i = 0; i < 3; i++)
      Append(&seed, Change{kind, static_cast<uint8_t>(i), static_cast<uint16_t>(64 * i), 7u + i});
    seeds.push_back(seed);
  }
  return seeds;
}

void RunOne(Bytes bytes) {
  static auto* const recorded = new Recorded;
  Input input(bytes);
  std::vector<Change> changes;
  while (!input.is_empty() && changes.size() < 64) changes.push_back(input.Take<Change>());
  recorded->Write(changes);
  uint64_t recovered = 0;
  const Status status = RecoverRecording(recorded->folder(), &recovered);
  Require(recovered <= recorded->region().size() * 4, "more was recovered than there was");
  if (status.ok()) test::ReadContents(recorded->folder() + "/log");
  std::string dump;
  DumpRecording(recorded->folder(), &dump);
  recorded->TakeBack(changes);
}

}  // namespace spprof::fuzz
