// 64 bytes of text -> one bit a byte: which bytes are quotes, separators, brackets. AVX2 where the processor
// has it, else SSE2, else plain code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::decode {

struct CsvMasks {
  std::uint64_t quote, separator, line_end;  // separator: delimiter or line end
};
// `words` × 64 bytes from p. quote '\0' finds none.
void csv_masks(const char* p, std::size_t words, char delimiter, char quote, char line_end, CsvMasks* out);

struct JsonMasks {
  std::uint64_t quote, backslash, open, close;  // open: { or [, close: } or ]
};
void json_masks(const char* p, std::size_t words, JsonMasks* out);

// Bit i = the exclusive or of bits 0 to i: turns quotes into "inside quotes".
inline std::uint64_t prefix_xor(std::uint64_t bits) {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  bits ^= bits << 32;
  return bits;
}

}  // namespace sluice::decode
