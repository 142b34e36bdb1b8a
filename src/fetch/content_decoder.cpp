#include "fetch/content_decoder.h"

#include "base/text.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <vector>

namespace sluice::fetch {
namespace {

constexpr std::size_t kBufferSize = 256u << 10;

std::unexpected<Error> cut_off(std::string_view kind) {
  return fail_transient(ErrorCode::truncated, fmt::format("the {} body stops in the middle", kind));
}

class Identity final : public ContentDecoder {
 public:
  Result<void> write(std::string_view bytes, const Sink& sink) override { return sink(bytes); }
  Result<void> finish() override { return {}; }
};

class Gzip final : public ContentDecoder {
 public:
  Gzip() : buffer_(kBufferSize) { ready_ = ::inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~Gzip() override {
    if (ready_) ::inflateEnd(&stream_);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  Result<void> write(std::string_view bytes, const Sink& sink) override {
    if (!ready_) return fail(ErrorCode::internal, "zlib cannot be set up");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      if (complete_) {  // further members may follow; anything else is padding to be ignored, as gzip does
        padding_ = padding_ || (stream_.avail_in > 0 && *stream_.next_in != 0x1f);
        if (padding_ || stream_.avail_in == 0) return {};
        ::inflateReset(&stream_);
        complete_ = false;
      }
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int code = ::inflate(&stream_, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return fail(ErrorCode::malformed, fmt::format("the gzip body is damaged: {}",
                                                      stream_.msg ? stream_.msg : "not a gzip stream"));
      complete_ = code == Z_STREAM_END;
      SLUICE_CHECK(sink({buffer_.data(), buffer_.size() - stream_.avail_out}));
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return {};
  }
  Result<void> finish() override {
    if (!complete_) return cut_off("gzip");
    return {};
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
  bool complete_ = false;
  bool padding_ = false;
  std::vector<char> buffer_;
};

class Zstd final : public ContentDecoder {
 public:
  Zstd() : stream_(ZSTD_createDStream()), buffer_(kBufferSize) {
    // 128 MiB: RFC 8878 lets a frame ask for far more memory than a run may use.
    if (stream_) ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, 27);
  }

  Result<void> write(std::string_view bytes, const Sink& sink) override {
    if (!stream_) return fail(ErrorCode::internal, "zstd cannot be set up");
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool full = false;
    do {
      ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
      const std::size_t code = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(code))
        return fail(ErrorCode::malformed,
                    fmt::format("the zstd body is damaged: {}", ZSTD_getErrorName(code)));
      complete_ = code == 0;
      full = out.pos == out.size;
      SLUICE_CHECK(sink({buffer_.data(), out.pos}));
    } while (in.pos < in.size || (full && !complete_));
    return {};
  }
  Result<void> finish() override {
    if (!complete_) return cut_off("zstd");
    return {};
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::vector<char> buffer_;
  bool complete_ = false;
};

}  // namespace

Result<std::unique_ptr<ContentDecoder>> ContentDecoder::create(std::string_view content_encoding) {
  const std::string name = to_lower(trim(content_encoding));
  if (name.empty() || name == "identity") return std::make_unique<Identity>();
  if (name == "gzip" || name == "x-gzip") return std::make_unique<Gzip>();
  if (name == "zstd") return std::make_unique<Zstd>();
  return fail(ErrorCode::unsupported,
              fmt::format("the server compressed the body with \"{}\" although only \"{}\" was offered",
                          printable(name, 60), kAcceptEncoding));
}

}  // namespace sluice::fetch
