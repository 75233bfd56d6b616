#include "profile/recording.h"

namespace spprof {

const char* NameOf(ThreadKind kind) {
  switch (kind) {
    case ThreadKind::kMain:
      return "main";
    case ThreadKind::kWorker:
      return "worker";
    case ThreadKind::kNative:
      return "native";
  }
  return "native";
}

const char* NameOf(FrameKind kind) {
  switch (kind) {
    case FrameKind::kJs:
      return "js";
    case FrameKind::kNative:
      return "native";
    case FrameKind::kBuiltin:
      return "builtin";
    case FrameKind::kGc:
      return "gc";
    case FrameKind::kTruncated:
      return "truncated";
    case FrameKind::kUnknownJs:
      return "unknown-js";
  }
  return "native";
}

const char* NameOf(FrameTier tier) {
  switch (tier) {
    case FrameTier::kNone:
      return "";
    case FrameTier::kInterpreted:
      return "interpreted";
    case FrameTier::kBaseline:
      return "baseline";
    case FrameTier::kMaglev:
      return "maglev";
    case FrameTier::kTurbofan:
      return "turbofan";
    case FrameTier::kOptimized:
      return "optimized";
  }
  return "";
}

}  // namespace spprof
