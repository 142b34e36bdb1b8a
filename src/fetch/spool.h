// The body of one download on its way to an unnamed file: decompressed, hashed and held to the caps while it
// arrives, so that a bomb ends early and never fills the disk.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "fetch/content_decoder.h"
#include "fetch/hash.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::fetch {

// Decompressed bytes per received byte; judged from kRatioFloor decompressed bytes on, since small bodies of
// one repeated line pass it honestly.
inline constexpr std::uint64_t kMostExpansion = 200;
inline constexpr std::uint64_t kRatioFloor = 64ull << 20;

struct SpooledBody {
  std::shared_ptr<const FileHandle> file;
  std::uint64_t length = 0;
  std::string hash;
  std::string start;  // the first bytes, at most kStartBytes
};
inline constexpr std::size_t kStartBytes = 8192;

class Spool {
 public:
  // `max_bytes` caps the decompressed size.
  Spool(std::filesystem::path directory, std::uint64_t max_bytes)
      : directory_(std::move(directory)), max_bytes_(max_bytes) {}

  // Before the first write. Errors unsupported, io, and too_large when the promised length is over the cap.
  Result<void> start(std::string_view content_encoding, std::optional<std::uint64_t> content_length);
  Result<void> write(std::string_view received);
  Result<SpooledBody> finish();

 private:
  Result<void> keep(std::string_view decoded);

  std::filesystem::path directory_;
  std::uint64_t max_bytes_;
  std::uint64_t received_ = 0;
  std::unique_ptr<ContentDecoder> decoder_;
  FileHandle file_;
  BodyHash hash_;
  SpooledBody body_;
};

}  // namespace sluice::fetch
