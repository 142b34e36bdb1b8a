// Which encoding a source is written in that nobody stated and that begins with no byte order mark.
#pragma once

#include "decode/decode.h"

#include <cstdint>
#include <stop_token>
#include <string_view>

namespace sluice::decode {

// What the bytes of a text say about its encoding. Feed it the whole text, in pieces of any size.
class EncodingTally {
 public:
  void add(std::string_view bytes);
  // utf8 or windows1252. UTF-8 where the text is valid, where its valid sequences are at least as many as its
  // broken bytes (then it is UTF-8 with damage), and where it does not read like a Western language in
  // windows-1252 either: NULs, bytes that mean nothing there, or mostly long runs of letters beyond ASCII, as
  // Cyrillic, Greek and Asian encodings have them.
  Encoding verdict() const;

 private:
  void high_byte(unsigned char byte);
  void end_run();
  void broken_sequence();

  std::uint64_t sequences_ = 0;  // valid ones of two bytes or more
  std::uint64_t broken_ = 0;     // bytes above ASCII that are in none of them
  std::uint64_t high_ = 0;       // bytes above ASCII
  std::uint64_t in_long_runs_ = 0;
  bool meaningless_ = false;  // a byte that no Western text has
  std::uint64_t run_ = 0;     // bytes above ASCII up to here
  // The sequence being read: bytes still missing, bytes seen, and what the next one may be.
  int missing_ = 0;
  int seen_ = 0;
  unsigned char low_ = 0x80;
  unsigned char high_limit_ = 0xBF;
};

// Reads the whole source and gives the verdict on it: one answer a source, however far into it the first byte
// is that is not UTF-8.
Result<Encoding> guess_encoding(const Input& input, std::stop_token stop);

}  // namespace sluice::decode
