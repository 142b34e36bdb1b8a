#include "decode/text_source.h"

#include "base/text.h"
#include "decode/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace sluice::decode {
namespace {

// What windows-1252 has in 0x80–0x9F (WHATWG); the five unassigned ones stay C1 controls.
constexpr std::array<std::uint16_t, 32> kWindows1252 = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

class TextBytes final : public ByteSource {
 public:
  TextBytes(std::unique_ptr<ByteSource> inner, Encoding encoding, std::string start)
      : inner_(std::move(inner)), encoding_(encoding), raw_(std::move(start)) {
    if (encoding_ == Encoding::utf8) std::swap(out_, raw_);
  }

  Result<std::size_t> read(std::span<char> buffer) override {
    if (at_ == out_.size()) {
      if (encoding_ == Encoding::utf8) return inner_->read(buffer);
      SLUICE_CHECK(convert_more());
    }
    const auto n = std::min(buffer.size(), out_.size() - at_);
    std::memcpy(buffer.data(), out_.data() + at_, n);
    at_ += n;
    return n;
  }
  std::uint64_t consumed() const override { return inner_->consumed(); }

 private:
  // Leaves out_ empty only at the end of the source.
  Result<void> convert_more() {
    out_.clear();
    at_ = 0;
    while (out_.empty()) {
      const auto held = raw_.size();
      raw_.resize(held + 32 * 1024);
      SLUICE_TRY(const std::size_t got, inner_->read({raw_.data() + held, 32 * 1024}));
      raw_.resize(held + got);
      const bool wide = encoding_ == Encoding::utf16le || encoding_ == Encoding::utf16be;
      const auto used = wide ? convert_utf16() : convert_single();
      if (!used) return std::unexpected(used.error());
      raw_.erase(0, *used);
      if (got == 0) {
        if (!raw_.empty())
          return fail_transient(ErrorCode::truncated, "the UTF-16 text stops inside a character");
        return {};
      }
    }
    return {};
  }

  Result<std::size_t> convert_single() {
    for (const char c : raw_) {
      const auto byte = static_cast<unsigned char>(c);
      const bool special = encoding_ == Encoding::windows1252 && byte >= 0x80 && byte < 0xA0;
      append_utf8(out_, special ? kWindows1252[byte - 0x80] : byte);
    }
    return raw_.size();
  }

  std::uint32_t unit(std::size_t i) const {
    const auto a = static_cast<unsigned char>(raw_[i]);
    const auto b = static_cast<unsigned char>(raw_[i + 1]);
    return encoding_ == Encoding::utf16le ? static_cast<std::uint32_t>(b << 8 | a)
                                          : static_cast<std::uint32_t>(a << 8 | b);
  }

  Result<std::size_t> convert_utf16() {
    std::size_t i = 0;
    while (i + 1 < raw_.size()) {
      auto code = unit(i);
      std::size_t width = 2;
      if (code >= 0xD800 && code < 0xDC00) {
        if (i + 3 >= raw_.size()) break;
        const auto low = unit(i + 2);
        if (low < 0xDC00 || low > 0xDFFF) return lone_surrogate();
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        width = 4;
      } else if (code >= 0xDC00 && code < 0xE000) {
        return lone_surrogate();
      }
      append_utf8(out_, code);
      i += width;
    }
    return i;
  }

  static std::unexpected<Error> lone_surrogate() {
    return fail(ErrorCode::malformed, "this is not valid UTF-16 (half a surrogate pair); state the encoding");
  }

  std::unique_ptr<ByteSource> inner_;
  Encoding encoding_;
  std::string raw_;  // not converted yet
  std::string out_;  // converted, given out up to at_
  std::size_t at_ = 0;
};

// UTF-16 of mostly Latin text has a NUL in every other byte.
std::optional<Encoding> unmarked_utf16(std::string_view start) {
  if (start.size() < 4) return std::nullopt;
  std::size_t even = 0;
  std::size_t odd = 0;
  for (std::size_t i = 0; i < start.size(); ++i) {
    if (start[i] == '\0') ++(i % 2 == 0 ? even : odd);
  }
  const auto pairs = start.size() / 2;
  if (even == 0 && odd * 10 >= pairs * 9) return Encoding::utf16le;
  if (odd == 0 && even * 10 >= pairs * 9) return Encoding::utf16be;
  return std::nullopt;
}

}  // namespace

Result<OpenedText> open_text(const Input& input, std::optional<Encoding> encoding) {
  SLUICE_TRY(auto opened, open_bytes(input));
  std::string start(64, '\0');
  SLUICE_TRY(const std::size_t got, read_fully(*opened.bytes, start));
  start.resize(got);
  OpenedText text;
  text.compression = opened.compression;
  const auto marked = [&](std::string_view mark, Encoding meaning) {
    if (!start.starts_with(mark)) return false;
    start.erase(0, mark.size());
    text.encoding = meaning;
    return text.marked = true;
  };
  using namespace std::string_view_literals;
  if (!marked("\xEF\xBB\xBF"sv, Encoding::utf8) && !marked("\xFF\xFE"sv, Encoding::utf16le) &&
      !marked("\xFE\xFF"sv, Encoding::utf16be)) {
    text.encoding = encoding.value_or(Encoding::utf8);
    const auto wide = unmarked_utf16(start);
    if (wide && (!encoding || text.encoding == Encoding::utf16le)) text.encoding = *wide;
  }
  text.bytes = std::make_unique<TextBytes>(std::move(opened.bytes), text.encoding, std::move(start));
  return text;
}

std::string_view to_string(Encoding encoding) {
  switch (encoding) {
    case Encoding::utf8:
      return "utf-8";
    case Encoding::utf16le:
      return "utf-16le";
    case Encoding::utf16be:
      return "utf-16be";
    case Encoding::windows1252:
      return "windows-1252";
    case Encoding::latin1:
      return "iso-8859-1";
  }
  return "utf-8";
}

Result<std::optional<Encoding>> encoding_from(std::string_view name) {
  const auto lower = to_lower(name);
  if (lower.empty() || lower == "auto") return std::nullopt;
  if (lower == "utf-8" || lower == "utf8") return Encoding::utf8;
  if (lower == "utf-16" || lower == "utf16" || lower == "utf-16le") return Encoding::utf16le;
  if (lower == "utf-16be") return Encoding::utf16be;
  if (lower == "windows-1252" || lower == "cp1252") return Encoding::windows1252;
  if (lower == "iso-8859-1" || lower == "latin1") return Encoding::latin1;
  return fail(
      ErrorCode::invalid_definition,
      fmt::format("encoding \"{}\" is not known; use utf-8, utf-16, windows-1252 or iso-8859-1", name));
}

}  // namespace sluice::decode
