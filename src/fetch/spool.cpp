#include "fetch/spool.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::fetch {

Result<void> Spool::start(std::string_view content_encoding, std::optional<std::uint64_t> content_length) {
  SLUICE_TRY(decoder_, ContentDecoder::create(content_encoding));
  if (content_length && *content_length > max_bytes_)
    return fail(ErrorCode::too_large, fmt::format("the server announces {} bytes; maxBytes allows {}",
                                                  group_digits(static_cast<long long>(*content_length)),
                                                  group_digits(static_cast<long long>(max_bytes_))));
  SLUICE_TRY(file_, FileHandle::temporary(directory_));
  return {};
}

Result<void> Spool::write(std::string_view received) {
  received_ += received.size();
  return decoder_->write(received, [this](std::string_view decoded) { return keep(decoded); });
}

Result<void> Spool::keep(std::string_view decoded) {
  body_.length += decoded.size();
  if (body_.length > max_bytes_)
    return fail(ErrorCode::too_large, fmt::format("the body is larger than the {} bytes that maxBytes allows",
                                                  group_digits(static_cast<long long>(max_bytes_))));
  if (body_.length > kRatioFloor && body_.length / kMostExpansion > received_)
    return fail(
        ErrorCode::too_large,
        fmt::format("the body grows to more than {} times its compressed size ({} bytes from {}): taken "
                    "for a decompression bomb",
                    kMostExpansion, group_digits(static_cast<long long>(body_.length)),
                    group_digits(static_cast<long long>(received_))));
  hash_.update(decoded);
  if (body_.start.size() < kStartBytes)
    body_.start.append(decoded.substr(0, std::min(decoded.size(), kStartBytes - body_.start.size())));
  if (auto written = file_.write_all(decoded); !written)
    return fail_within(fmt::format("spool in {}", directory_.string()), std::move(written).error());
  return {};
}

Result<SpooledBody> Spool::finish() {
  // A response without any body is an empty file; the decoder of a compressed one has its say.
  if (received_ > 0) SLUICE_CHECK(decoder_->finish());
  body_.hash = hash_.hex();
  body_.file = std::make_shared<const FileHandle>(std::move(file_));
  return std::move(body_);
}

}  // namespace sluice::fetch
