// Any bytes as a definition: always an answer, never a crash, and every problem has a place. A first digit of
// 0 to 5 names the kind of file; whatever begins otherwise is a loader, so that files of the tests serve as
// they are.
#include "definition/check.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::definition;
  constexpr std::array<const char*, 6> kNames = {"A.loader.yaml",     "A.service.yaml",
                                                 "A.entity.nox.yaml", "A.loader.nox.yaml",
                                                 "A.dataSource.yaml", "A.service.nox.yaml"};
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t kind = 0;
  if (!text.empty() && text.front() >= '0' && text.front() <= '5') {
    kind = static_cast<std::size_t>(text.front() - '0');
    text.remove_prefix(1);
  }
  CheckOptions options;
  options.root = "/definitions";
  options.environment = [](std::string_view) { return std::optional<std::string>("value"); };
  const auto result = check({make_source_file(kNames.at(kind), std::string(text))}, options);
  for (const auto& problem : result.problems) {
    if (problem.message.empty() || problem.place.file.empty()) std::abort();
  }
  for (const auto& loader : result.catalog->loaders) {
    if (resolved_yaml(loader).empty()) std::abort();
  }
  return 0;
}
