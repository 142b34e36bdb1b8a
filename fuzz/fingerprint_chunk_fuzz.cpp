// Any bytes as a stored chunk: refused, or readable without an overrun, and found again by their keys.
#include "model/fingerprint.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto chunk = sluice::FingerprintChunk::parse({reinterpret_cast<const char*>(data), size});
  if (!chunk) return 0;
  std::uint64_t sum = 0;
  bool sorted = true;
  for (std::size_t i = 0; i < chunk->size(); ++i) {
    const auto key = chunk->key(i);
    for (const char byte : key) sum += static_cast<std::uint8_t>(byte);
    sum += chunk->fingerprint(i).lo + chunk->fingerprint(i).hi + chunk->flags(i);
    if (i > 0 && !(chunk->key(i - 1) < key)) sorted = false;
  }
  for (std::size_t i = 0; i < chunk->size(); ++i) {
    const auto found = chunk->lower_bound(chunk->key(i));
    if (found > chunk->size() || (sorted && found != i)) std::abort();
  }
  // A sorted chunk is one a builder could have made: built again, it has the same entries.
  if (!sorted) return 0;
  sluice::FingerprintChunkBuilder builder;
  for (std::size_t i = 0; i < chunk->size(); ++i)
    builder.add(chunk->key(i), chunk->fingerprint(i), chunk->flags(i));
  const auto bytes = builder.finish();
  const auto again = sluice::FingerprintChunk::parse(bytes);
  if (!again || again->size() != chunk->size()) std::abort();
  for (std::size_t i = 0; i < chunk->size(); ++i) {
    if (again->key(i) != chunk->key(i) || again->fingerprint(i) != chunk->fingerprint(i)) std::abort();
  }
  volatile std::uint64_t kept = sum;  // every byte was read
  (void)kept;
  return 0;
}
