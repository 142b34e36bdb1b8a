#include "decode/bit_masks.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluice::decode {
namespace {

#if defined(__x86_64__)

#define SLUICE_AVX2 __attribute__((target("avx2"), always_inline)) inline

SLUICE_AVX2 std::uint64_t join32(__m256i low, __m256i high) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

SLUICE_AVX2 std::uint64_t equal_to(__m256i low, __m256i high, __m256i wanted) {
  return join32(_mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
}

__attribute__((target("avx2"))) void csv_avx2(const char* p, std::size_t words, char delimiter, char quote,
                                              char line_end, CsvMasks* out) {
  const __m256i d = _mm256_set1_epi8(delimiter);
  const __m256i q = _mm256_set1_epi8(quote);
  const __m256i e = _mm256_set1_epi8(line_end);
  for (std::size_t i = 0; i < words; ++i, p += 64) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
    out[i].quote = equal_to(low, high, q);
    out[i].line_end = equal_to(low, high, e);
    out[i].separator = equal_to(low, high, d) | out[i].line_end;
  }
}

__attribute__((target("avx2"))) void json_avx2(const char* p, std::size_t words, JsonMasks* out) {
  const __m256i q = _mm256_set1_epi8('"');
  const __m256i b = _mm256_set1_epi8('\\');
  const __m256i lower = _mm256_set1_epi8(0x20);  // [ ] become { }
  const __m256i open = _mm256_set1_epi8('{');
  const __m256i close = _mm256_set1_epi8('}');
  for (std::size_t i = 0; i < words; ++i, p += 64) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
    out[i].quote = equal_to(low, high, q);
    out[i].backslash = equal_to(low, high, b);
    const __m256i low_case = _mm256_or_si256(low, lower);
    const __m256i high_case = _mm256_or_si256(high, lower);
    out[i].open = equal_to(low_case, high_case, open);
    out[i].close = equal_to(low_case, high_case, close);
  }
}

std::uint64_t equal_to(const __m128i* parts, __m128i wanted) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 4; ++i) {
    const auto part = static_cast<std::uint64_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(parts[i], wanted)));
    bits |= part << (16 * i);
  }
  return bits;
}

void csv_plain(const char* p, std::size_t words, char delimiter, char quote, char line_end, CsvMasks* out) {
  for (std::size_t i = 0; i < words; ++i, p += 64) {
    __m128i parts[4];
    for (int k = 0; k < 4; ++k) parts[k] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * k));
    out[i].quote = equal_to(parts, _mm_set1_epi8(quote));
    out[i].line_end = equal_to(parts, _mm_set1_epi8(line_end));
    out[i].separator = equal_to(parts, _mm_set1_epi8(delimiter)) | out[i].line_end;
  }
}

void json_plain(const char* p, std::size_t words, JsonMasks* out) {
  for (std::size_t i = 0; i < words; ++i, p += 64) {
    __m128i parts[4];
    for (int k = 0; k < 4; ++k) parts[k] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * k));
    out[i].quote = equal_to(parts, _mm_set1_epi8('"'));
    out[i].backslash = equal_to(parts, _mm_set1_epi8('\\'));
    for (auto& part : parts) part = _mm_or_si128(part, _mm_set1_epi8(0x20));
    out[i].open = equal_to(parts, _mm_set1_epi8('{'));
    out[i].close = equal_to(parts, _mm_set1_epi8('}'));
  }
}

bool has_avx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

#else

std::uint64_t equal_to(const char* p, char wanted) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits |= static_cast<std::uint64_t>(p[i] == wanted) << i;
  return bits;
}

void csv_plain(const char* p, std::size_t words, char delimiter, char quote, char line_end, CsvMasks* out) {
  for (std::size_t i = 0; i < words; ++i, p += 64) {
    out[i].quote = equal_to(p, quote);
    out[i].line_end = equal_to(p, line_end);
    out[i].separator = equal_to(p, delimiter) | out[i].line_end;
  }
}

void json_plain(const char* p, std::size_t words, JsonMasks* out) {
  for (std::size_t i = 0; i < words; ++i, p += 64) {
    out[i].quote = equal_to(p, '"');
    out[i].backslash = equal_to(p, '\\');
    out[i].open = equal_to(p, '{') | equal_to(p, '[');
    out[i].close = equal_to(p, '}') | equal_to(p, ']');
  }
}

#endif

}  // namespace

void csv_masks(const char* p, std::size_t words, char delimiter, char quote, char line_end, CsvMasks* out) {
#if defined(__x86_64__)
  if (has_avx2()) {
    csv_avx2(p, words, delimiter, quote, line_end, out);
  } else {
    csv_plain(p, words, delimiter, quote, line_end, out);
  }
#else
  csv_plain(p, words, delimiter, quote, line_end, out);
#endif
  if (quote == '\0') {
    for (std::size_t i = 0; i < words; ++i) out[i].quote = 0;
  }
}

void json_masks(const char* p, std::size_t words, JsonMasks* out) {
#if defined(__x86_64__)
  if (has_avx2()) {
    json_avx2(p, words, out);
    return;
  }
#endif
  json_plain(p, words, out);
}

}  // namespace sluice::decode
