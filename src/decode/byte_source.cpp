#include "decode/byte_source.h"

#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace sluice::decode {
namespace {

constexpr std::uint64_t kRatioFrom = 16u << 20;  // small files may well be very repetitive

class FileBytes final : public ByteSource {
 public:
  explicit FileBytes(std::shared_ptr<const FileHandle> file) : file_(std::move(file)) {}
  Result<std::size_t> read(std::span<char> buffer) override {
    SLUICE_TRY(const std::size_t got, file_->read_at(buffer, offset_));
    offset_ += got;
    return got;
  }
  std::uint64_t consumed() const override { return offset_; }

 private:
  std::shared_ptr<const FileHandle> file_;
  std::uint64_t offset_ = 0;
};

class CappedBytes final : public ByteSource {
 public:
  CappedBytes(std::unique_ptr<ByteSource> inner, const Input& input, bool compressed)
      : inner_(std::move(inner)), limit_(input.max_bytes), ratio_(compressed ? input.max_ratio : 0) {}

  Result<std::size_t> read(std::span<char> buffer) override {
    SLUICE_TRY(const std::size_t got, inner_->read(buffer));
    decoded_ += got;
    if (decoded_ > limit_) {
      return fail(ErrorCode::too_large,
                  fmt::format("more than {} bytes; raise maxBytes of the source if that is right", limit_));
    }
    const auto stored = static_cast<double>(inner_->consumed());
    if (ratio_ > 0 && decoded_ > kRatioFrom && static_cast<double>(decoded_) > ratio_ * stored) {
      return fail(ErrorCode::too_large,
                  fmt::format("{} stored bytes unpack to more than {:.0f} times as many; this looks like a "
                              "decompression bomb",
                              inner_->consumed(), ratio_));
    }
    return got;
  }
  std::uint64_t consumed() const override { return inner_->consumed(); }

 private:
  std::unique_ptr<ByteSource> inner_;
  std::uint64_t limit_;
  double ratio_;
  std::uint64_t decoded_ = 0;
};

// Formats people do send, named so that the message can say what to do.
std::string_view unsupported_kind(std::string_view start) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kKinds = {{
      {"BZh", "a bzip2 file; use gzip or zstd"},
      {"\xFD"
       "7zXZ",
       "an xz file; use gzip or zstd"},
      {"PAR1", "a Parquet file, which is not available yet"},
      {"\xD0\xCF\x11\xE0", "an old Excel or Word file; save it as CSV"},
      {"%PDF", "a PDF file"},
  }};
  for (const auto& [magic, kind] : kKinds) {
    if (start.starts_with(magic)) return kind;
  }
  return {};
}

Compression recognise(std::string_view start) {
  if (start.starts_with("\x1F\x8B\x08")) return Compression::gzip;
  if (start.starts_with("\x28\xB5\x2F\xFD")) return Compression::zstd;
  if (start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06")) return Compression::zip;
  return Compression::none;
}

}  // namespace

Result<std::size_t> read_fully(ByteSource& source, std::span<char> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    SLUICE_TRY(const std::size_t got, source.read(buffer.subspan(done)));
    if (got == 0) break;
    done += got;
  }
  return done;
}

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "";
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
    case Compression::zip:
      return "zip";
  }
  return "";
}

Result<OpenedBytes> open_bytes(const Input& input) {
  std::array<char, 8> first{};
  SLUICE_TRY(const std::size_t got, input.file->read_at(first, 0));
  const std::string_view start(first.data(), got);
  if (const auto kind = unsupported_kind(start); !kind.empty()) {
    return fail(ErrorCode::unsupported, fmt::format("this is {}", kind));
  }
  OpenedBytes opened;
  opened.compression = recognise(start);
  auto stored = std::make_unique<FileBytes>(input.file);
  switch (opened.compression) {
    case Compression::gzip:
      opened.bytes = gzip_bytes(std::move(stored));
      break;
    case Compression::zstd:
      opened.bytes = zstd_bytes(std::move(stored));
      break;
    case Compression::zip: {
      SLUICE_TRY(opened.bytes, zip_bytes(input.file));
      break;
    }
    case Compression::none:
      opened.bytes = std::move(stored);
      break;
  }
  opened.bytes =
      std::make_unique<CappedBytes>(std::move(opened.bytes), input, opened.compression != Compression::none);
  return opened;
}

}  // namespace sluice::decode
