#include "decode/encoding_guess.h"

#include "decode/byte_source.h"

#include <cstring>
#include <vector>

namespace sluice::decode {
namespace {

constexpr std::uint64_t kLongRun = 4;  // "größere" and "créée" have two; a Cyrillic word has its length

bool is_meaningless(unsigned char byte) {  // in windows-1252
  return byte == 0x81 || byte == 0x8D || byte == 0x8F || byte == 0x90 || byte == 0x9D;
}

// Eight bytes of ASCII without a NUL, as nearly all are: nothing to note.
bool is_plain(const char* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  return ((word | (word - kOnes)) & (kOnes << 7)) == 0;
}

}  // namespace

void EncodingTally::broken_sequence() {
  broken_ += static_cast<std::uint64_t>(seen_);
  missing_ = seen_ = 0;
}

void EncodingTally::end_run() {
  if (run_ >= kLongRun) in_long_runs_ += run_;
  run_ = 0;
}

void EncodingTally::high_byte(unsigned char byte) {
  ++high_;
  ++run_;
  meaningless_ = meaningless_ || is_meaningless(byte);
  if (missing_ > 0 && byte >= low_ && byte <= high_limit_) {
    ++seen_;
    low_ = 0x80;
    high_limit_ = 0xBF;
    if (--missing_ == 0) {
      ++sequences_;
      seen_ = 0;
    }
    return;
  }
  broken_sequence();
  low_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;         // no longer forms than needed
  high_limit_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;  // no surrogates, nothing beyond U+10FFFF
  missing_ = byte < 0xC2 ? 0 : byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : byte < 0xF5 ? 3 : 0;
  seen_ = 1;
  if (missing_ == 0) broken_sequence();
}

void EncodingTally::add(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (run_ == 0) {
      while (i + 8 <= bytes.size() && is_plain(bytes.data() + i)) i += 8;
      if (i == bytes.size()) break;
    }
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte >= 0x80) {
      high_byte(byte);
      continue;
    }
    if (run_ > 0) {
      broken_sequence();
      end_run();
    }
    meaningless_ = meaningless_ || byte == 0;
  }
}

Encoding EncodingTally::verdict() const {
  // A sequence that the end of the text cuts is not held against it.
  if (broken_ == 0 || meaningless_ || sequences_ >= broken_) return Encoding::utf8;
  const auto long_runs = in_long_runs_ + (run_ >= kLongRun ? run_ : 0);
  return long_runs * 2 > high_ ? Encoding::utf8 : Encoding::windows1252;
}

Result<Encoding> guess_encoding(const Input& input, std::stop_token stop) {
  SLUICE_TRY(const auto opened, open_bytes(input));
  EncodingTally tally;
  std::vector<char> buffer(256 * 1024);
  for (;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while looking for the encoding");
    SLUICE_TRY(const std::size_t got, read_fully(*opened.bytes, buffer));
    tally.add({buffer.data(), got});
    if (got < buffer.size()) return tally.verdict();
  }
}

}  // namespace sluice::decode
