// The request-target parser: the first thing that touches bytes from outside, so it is small, total and
// fuzzed.
#include "api/request.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace sluice::api {
namespace {

constexpr std::size_t kMaxSegments = 32;
constexpr std::size_t kMaxParameters = 64;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Length of the UTF-8 sequence at the start of the text, 0 when it is not one (overlong, surrogate, cut).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && at(1) < 0xA0) return 0;
  if (lead == 0xED && at(1) > 0x9F) return 0;
  if (lead == 0xF0 && at(1) < 0x90) return 0;
  if (lead == 0xF4 && at(1) > 0x8F) return 0;
  return length;
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(ErrorCode::invalid_argument, "the address holds a '%' without two hex digits");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return fail(ErrorCode::invalid_argument, "the address holds a control character");
    }
    decoded.push_back(c);
  }
  for (std::string_view rest = decoded; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    if (length == 0) return fail(ErrorCode::invalid_argument, "the address is not valid UTF-8");
    rest.remove_prefix(length);
  }
  return decoded;
}

const std::string* find_field(const Fields& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Fields::value_type::first);
  return found == fields.end() ? nullptr : &found->second;
}

Result<Fields> parse_query(std::string_view text) {
  Fields query;
  for (std::string_view part : split(text, '&')) {
    if (part.empty()) continue;
    if (query.size() == kMaxParameters) {
      return fail(ErrorCode::invalid_argument, "the address holds too many parameters");
    }
    const std::size_t equals = std::min(part.find('='), part.size());
    SLUICE_TRY(std::string name, decode(part.substr(0, equals), true));
    SLUICE_TRY(std::string value, decode(part.substr(std::min(equals + 1, part.size())), true));
    query.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

}  // namespace

const std::string* Target::parameter(std::string_view name) const { return find_field(query, name); }
const std::string* Request::header(std::string_view name) const { return find_field(headers, name); }
const std::string* Response::header(std::string_view name) const { return find_field(headers, name); }
int Request::header_count(std::string_view name) const {
  return static_cast<int>(std::ranges::count(headers, name, &Fields::value_type::first));
}

Result<Target> parse_target(std::string_view text) {
  Target target;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
    target.authority = std::string(text.substr(0, end));
    text.remove_prefix(end);
    if (target.authority.empty()) return fail(ErrorCode::invalid_argument, "the address names no host");
    if (text.empty()) text = "/";
    break;
  }
  if (!text.starts_with('/')) return fail(ErrorCode::invalid_argument, "the address must start with '/'");
  text = text.substr(0, text.find('#'));
  const std::size_t question = std::min(text.find('?'), text.size());
  target.path = std::string(text.substr(0, question));

  std::string_view path = std::string_view(target.path).substr(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (!path.empty()) {
    for (std::string_view part : split(path, '/')) {
      if (target.segments.size() == kMaxSegments) {
        return fail(ErrorCode::invalid_argument, "the address holds too many parts");
      }
      SLUICE_TRY(std::string segment, decode(part, false));
      if (segment == "." || segment == "..") {
        return fail(ErrorCode::invalid_argument, "the address holds a '.' or '..' part");
      }
      target.segments.push_back(std::move(segment));
    }
  }
  if (question < text.size()) {
    SLUICE_TRY(target.query, parse_query(text.substr(question + 1)));
  }
  return target;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~").contains(c);
    if (plain) {
      encoded.push_back(c);
    } else {
      encoded += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
    }
  }
  return encoded;
}

}  // namespace sluice::api
