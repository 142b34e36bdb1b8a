#include "decode/byte_source.h"

#include <fmt/format.h>
#include <zlib.h>

#include <vector>

namespace sluice::decode {
namespace {

class GzipBytes final : public ByteSource {
 public:
  explicit GzipBytes(std::unique_ptr<ByteSource> stored) : stored_(std::move(stored)), in_(64 * 1024) {
    ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
  }
  GzipBytes(const GzipBytes&) = delete;
  GzipBytes& operator=(const GzipBytes&) = delete;
  ~GzipBytes() override { inflateEnd(&stream_); }

  Result<std::size_t> read(std::span<char> buffer) override {
    if (!ready_) return fail(ErrorCode::internal, "zlib could not be set up");
    if (ended_ || buffer.empty()) return 0;
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(buffer.size(), 1u << 30));
    const auto room = stream_.avail_out;
    while (stream_.avail_out == room) {
      SLUICE_CHECK(refill());
      if (stream_.avail_in == 0) {
        if (!between_) return fail_transient(ErrorCode::truncated, "the gzip stream stops in the middle");
        ended_ = true;
        return 0;
      }
      if (between_) {
        if (*stream_.next_in == 0) {  // padding after the last member, as tapes leave it
          ++stream_.next_in;
          --stream_.avail_in;
          continue;
        }
        inflateReset(&stream_);
        between_ = false;
      }
      const int state = inflate(&stream_, Z_NO_FLUSH);
      if (state == Z_STREAM_END) {
        between_ = true;
      } else if (state != Z_OK && state != Z_BUF_ERROR) {
        return fail(ErrorCode::malformed, fmt::format("damaged gzip data near byte {}: {}", consumed(),
                                                      stream_.msg != nullptr ? stream_.msg : "unknown"));
      }
    }
    return room - stream_.avail_out;
  }

  std::uint64_t consumed() const override { return stored_->consumed() - stream_.avail_in; }

 private:
  Result<void> refill() {
    if (stream_.avail_in != 0) return {};
    SLUICE_TRY(const std::size_t got, stored_->read(in_));
    stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
    stream_.avail_in = static_cast<uInt>(got);
    return {};
  }

  std::unique_ptr<ByteSource> stored_;
  std::vector<char> in_;
  z_stream stream_{};
  bool ready_ = false;
  bool between_ = false;  // a member ended; another may follow
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> gzip_bytes(std::unique_ptr<ByteSource> stored) {
  return std::make_unique<GzipBytes>(std::move(stored));
}

}  // namespace sluice::decode
