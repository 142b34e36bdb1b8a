// Any bytes as a request target: no crash, and what is accepted keeps its promises.
#include "api/query.h"
#include "api/request.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target = sluice::api::parse_target({reinterpret_cast<const char*>(data), size});
  if (!target) return 0;
  std::string again;
  for (const auto& segment : target->segments) {
    if (segment == "." || segment == "..") std::abort();
    for (const char c : segment) {
      if (static_cast<unsigned char>(c) < 0x20) std::abort();
    }
    again += "/" + sluice::api::percent_encode(segment);
  }
  // What was decoded encodes and decodes to the same segments. (A trailing empty one is dropped by design.)
  if (!target->segments.empty() && !target->segments.back().empty()) {
    const auto second = sluice::api::parse_target(again);
    if (!second || second->segments != target->segments) std::abort();
  }
  (void)sluice::api::parse_job_filter(*target);
  (void)sluice::api::parse_page(*target);
  (void)sluice::api::list_document({"[]", "x"}, *target);
  return 0;
}
