#include "decode/byte_source.h"

#include <fmt/format.h>
#include <zstd.h>

#include <vector>

namespace sluice::decode {
namespace {

constexpr int kLargestWindowLog = 27;  // 128 MiB, zstd's own default limit

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

class ZstdBytes final : public ByteSource {
 public:
  explicit ZstdBytes(std::unique_ptr<ByteSource> stored)
      : stored_(std::move(stored)), in_(ZSTD_DStreamInSize()), stream_(ZSTD_createDStream()) {
    if (stream_) ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  }

  Result<std::size_t> read(std::span<char> buffer) override {
    if (!stream_) return fail(ErrorCode::internal, "zstd could not be set up");
    if (buffer.empty()) return 0;
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0) {
      if (input_.pos == input_.size) {
        SLUICE_TRY(const std::size_t got, stored_->read(in_));
        input_ = {in_.data(), got, 0};
        if (got == 0) {
          // The decoder may still hold bytes of the frame; a frame that wants more input is cut.
          if (frame_done_) return 0;
          const auto before = out.pos;
          const auto rest = ZSTD_decompressStream(stream_.get(), &out, &input_);
          if (ZSTD_isError(rest) == 0 && out.pos > before) break;
          return fail_transient(ErrorCode::truncated, "the zstd stream stops in the middle");
        }
      }
      const auto rest = ZSTD_decompressStream(stream_.get(), &out, &input_);
      if (ZSTD_isError(rest) != 0) {
        return fail(ErrorCode::malformed,
                    fmt::format("damaged zstd data near byte {}: {}", consumed(), ZSTD_getErrorName(rest)));
      }
      frame_done_ = rest == 0;
    }
    return out.pos;
  }

  std::uint64_t consumed() const override { return stored_->consumed() - (input_.size - input_.pos); }

 private:
  std::unique_ptr<ByteSource> stored_;
  std::vector<char> in_;
  std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool frame_done_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> zstd_bytes(std::unique_ptr<ByteSource> stored) {
  return std::make_unique<ZstdBytes>(std::move(stored));
}

}  // namespace sluice::decode
