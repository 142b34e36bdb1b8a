// Undoes a response's Content-Encoding while it arrives. Done here and not by libcurl, which takes a
// compressed stream that stops in the middle for a complete one.
#pragma once

#include "base/error.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::fetch {

// What we ask for, unchanged from run to run: some servers derive their ETag from it.
inline constexpr std::string_view kAcceptEncoding = "zstd, gzip";

class ContentDecoder {
 public:
  using Sink = std::function<Result<void>(std::string_view)>;
  virtual ~ContentDecoder() = default;
  // Passes the decoded bytes on; errors of the sink end it at once. Error malformed on broken input.
  virtual Result<void> write(std::string_view bytes, const Sink& sink) = 0;
  // At the end of the body: a transient truncated error when the compressed stream is not complete.
  virtual Result<void> finish() = 0;

  // For the header's value: "", identity, gzip, x-gzip, zstd. Error unsupported for others.
  static Result<std::unique_ptr<ContentDecoder>> create(std::string_view content_encoding);
};

}  // namespace sluice::fetch
