#include "fetch/exchange.h"

#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace sluice::fetch {
namespace {

constexpr std::size_t kMostHeaderBytes = 256u << 10;
constexpr std::size_t kExcerptBytes = 4096;
constexpr std::size_t kMostDiscarded = 64u << 10;  // of an unwanted body, to keep the connection
// What must come within the idle time-out: a server that drips holds a worker as long as a silent one.
constexpr std::size_t kLeastWithinIdle = 1024;

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return {};
  return value;
}

}  // namespace

bool Exchange::take(Result<void> result) {
  if (!result) own_error = std::move(result).error();
  return !own_error;
}

void Exchange::note_sign(std::size_t bytes, bool turn) {
  since_sign += bytes;
  if (!turn && since_sign < kLeastWithinIdle) return;
  since_sign = 0;
  last_sign = std::chrono::steady_clock::now();
}

bool Exchange::header(std::string_view line) {
  header_bytes += line.size();
  if (header_bytes > kMostHeaderBytes)
    return take(fail(ErrorCode::too_large, fmt::format("the answer's headers are larger than {} bytes",
                                                       group_digits(kMostHeaderBytes))));
  if (body_began || !line.starts_with("HTTP/")) note_sign(line.size(), false);
  if (body_began) return true;  // trailers
  if (line.starts_with("HTTP/")) {
    response = Response{};  // also after "100 Continue"
    const auto space = line.find(' ');
    if (space != std::string_view::npos)
      std::from_chars(line.data() + space + 1, line.data() + line.size(), response.status);
    note_sign(line.size(), response.status >= 200);  // "102 Processing" may go on for ever
    return true;
  }
  if (trim(line).empty()) head_complete = response.status >= 200;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const auto name = trim(line.substr(0, colon));
  const std::string value(trim(line.substr(colon + 1)));
  const std::array<std::pair<std::string_view, std::string*>, 7> wanted = {
      {{"ETag", &response.etag},
       {"Last-Modified", &response.last_modified},
       {"Date", &response.date},
       {"Content-Type", &response.content_type},
       {"Content-Encoding", &response.content_encoding},
       {"Location", &response.location},
       {"Retry-After", &response.retry_after}}};
  for (const auto& [known, field] : wanted)
    if (iequals(name, known)) *field = value;
  if (iequals(name, "Content-Length")) return content_length(value);
  return true;
}

// Stricter than libcurl, which passes over a length that it cannot read, and takes the last of several.
bool Exchange::content_length(std::string_view value) {
  const auto length = parse_length(value);
  if (!length || (response.content_length && response.content_length != length))
    return take(fail(ErrorCode::malformed, fmt::format("the answer's Content-Length contradicts itself: {}",
                                                       printable(value, 60))));
  response.content_length = length;
  return true;
}

bool Exchange::body(std::string_view bytes) {
  const bool first = !body_began;
  body_began = true;
  response.received += bytes.size();
  if (!is_data()) {
    const std::size_t kept = spool != nullptr ? kExcerptBytes : Transfer::kMostExcerpt;
    if (response.excerpt.size() < kept)
      response.excerpt.append(bytes.substr(0, kept - response.excerpt.size()));
    enough = response.received > (spool != nullptr ? kMostDiscarded : 2 * kept);
    note_sign(bytes.size(), first);
    return !enough;
  }
  if (first && !take(spool->start(response.content_encoding, response.content_length))) return false;
  if (!take(spool->write(bytes))) return false;
  if (progress) progress(response.received, response.content_length);
  note_sign(bytes.size(), first);  // after the write: a slow disk is not a silent server
  return true;
}

}  // namespace sluice::fetch
