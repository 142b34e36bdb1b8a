// The bytes of an input, decompressed by content and capped. Not thread-safe.
#pragma once

#include "decode/decode.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sluice::decode {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Some bytes, at least one unless the end is reached: 0 = end.
  virtual Result<std::size_t> read(std::span<char> buffer) = 0;
  virtual std::uint64_t consumed() const = 0;  // bytes of the stored file
};

// Reads until the buffer is full or the source ends.
Result<std::size_t> read_fully(ByteSource& source, std::span<char> buffer);

enum class Compression : std::uint8_t { none, gzip, zstd, zip };
std::string_view to_string(Compression compression);  // "" "gzip" "zstd" "zip"

struct OpenedBytes {
  std::unique_ptr<ByteSource> bytes;
  Compression compression = Compression::none;
};

// Recognises gzip (several members), zstd and zip by their first bytes, whatever the name says. A zip must
// hold one file (folders, __MACOSX and dot files do not count). A compressed stream that stops early is
// `truncated`; over Input::max_bytes, or over max_ratio from 16 MiB on, is `too_large`.
Result<OpenedBytes> open_bytes(const Input& input);

std::unique_ptr<ByteSource> gzip_bytes(std::unique_ptr<ByteSource> stored);
std::unique_ptr<ByteSource> zstd_bytes(std::unique_ptr<ByteSource> stored);
Result<std::unique_ptr<ByteSource>> zip_bytes(std::shared_ptr<const FileHandle> file);

}  // namespace sluice::decode
