// Any bytes as a definition of any kind: always an answer, never a crash, and every problem has a place.
#include "definition/check.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::definition;
  constexpr std::array<const char*, 6> kNames = {"A.loader.yaml",     "A.service.yaml",
                                                 "A.entity.nox.yaml", "A.loader.nox.yaml",
                                                 "A.dataSource.yaml", "A.service.nox.yaml"};
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  CheckOptions options;
  options.root = "/definitions";
  options.environment = [](std::string_view) { return std::optional<std::string>("value"); };
  const auto result = check({make_source_file(kNames[data[0] % kNames.size()], text)}, options);
  for (const auto& problem : result.problems) {
    if (problem.message.empty() || problem.place.file.empty()) std::abort();
  }
  for (const auto& loader : result.catalog->loaders) {
    if (resolved_yaml(loader).empty()) std::abort();
  }
  return 0;
}
