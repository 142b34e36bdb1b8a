#include "model/fingerprint.h"

#define XXH_INLINE_ALL
#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice {
namespace {

std::string chunk_of(const std::vector<std::string>& keys) {
  FingerprintChunkBuilder builder;
  for (std::size_t i = 0; i < keys.size(); ++i)
    builder.add(keys[i], {i, i * 3}, i % 2 == 0 ? kSoftDeleted : std::uint8_t{0});
  return builder.finish();
}

const std::vector<std::string> kEqualWidth = {"aaa", "aab", "bbb", "ccc"};
const std::vector<std::string> kAnyWidth = {"", "a", "ab", "b", "bcdefg"};

TEST(FingerprintChunk, gives_back_what_was_built) {
  for (const auto& keys : {kEqualWidth, kAnyWidth, std::vector<std::string>()}) {
    const auto bytes = chunk_of(keys);
    const auto chunk = FingerprintChunk::parse(bytes);
    ASSERT_TRUE(chunk) << chunk.error().describe();
    ASSERT_EQ(chunk->size(), keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ(chunk->key(i), keys[i]);
      EXPECT_EQ(chunk->fingerprint(i), (Fingerprint{i, i * 3}));
      EXPECT_EQ(chunk->flags(i), i % 2 == 0 ? kSoftDeleted : 0);
    }
  }
}

TEST(FingerprintChunk, has_the_documented_bytes) {
  FingerprintChunkBuilder builder;
  builder.add("k1", {0x0807060504030201u, 0x100f0e0d0c0b0a09u}, 1);
  EXPECT_EQ(builder.first_key(), "k1");
  const auto one = builder.finish();
  EXPECT_EQ(one.substr(0, 12), std::string("\2\0\0\0"
                                           "\1\0\0\0"
                                           "\2\0\0\0",
                                           12));
  EXPECT_EQ(one.substr(12, 8), std::string("\xe6\x85\xcc\x3a\x38\xe9\x02\xf2", 8));
  EXPECT_EQ(one.substr(20), std::string("\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
                                        "\1"
                                        "k1",
                                        19));
  EXPECT_TRUE(builder.empty());
  builder.add("", {}, 0);
  builder.add("x", {}, 0);
  const auto bytes = builder.finish();
  EXPECT_EQ(bytes.substr(0, 12), std::string("\2\0\0\0\2\0\0\0\0\0\0\0", 12));
  EXPECT_EQ(bytes.substr(20 + 34), std::string("\0\0\0\0\0\0\0\0\1\0\0\0x", 13));
}

TEST(FingerprintChunk, an_entry_costs_its_key_and_seventeen_bytes) {
  EXPECT_EQ(chunk_of(kEqualWidth).size(), 20 + kEqualWidth.size() * (3 + 17));
}

TEST(FingerprintChunk, lower_bound_finds_the_first_key_not_less) {
  const auto bytes = chunk_of(kAnyWidth);
  const auto chunk = FingerprintChunk::parse(bytes);
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->lower_bound(""), 0u);
  EXPECT_EQ(chunk->lower_bound("aa"), 2u);
  EXPECT_EQ(chunk->lower_bound("ab"), 2u);
  EXPECT_EQ(chunk->lower_bound("a", 3), 3u);
  EXPECT_EQ(chunk->lower_bound("z"), 5u);
  EXPECT_EQ(chunk->lower_bound("z", 5), 5u);
}

TEST(FingerprintChunk, lower_bound_agrees_with_a_scan_at_every_key_width) {
  std::mt19937 random(9);
  for (const std::size_t width : {1, 8, 9, 10, 14}) {
    for (int round = 0; round < 60; ++round) {
      // Few different bytes: many keys share their first nine.
      const auto any_key = [&](std::size_t length) {
        std::string key;
        for (std::size_t i = 0; i < length; ++i)
          key.push_back(static_cast<char>(i % 5 == 0 ? random() % 3 : 7));
        return key;
      };
      std::set<std::string> keys;
      for (int i = 0; i < 40; ++i) keys.insert(any_key(width));
      const auto bytes = chunk_of({keys.begin(), keys.end()});
      const auto chunk = FingerprintChunk::parse(bytes);
      ASSERT_TRUE(chunk);
      for (int i = 0; i < 40; ++i) {
        const auto wanted = any_key(random() % 4 == 0 ? random() % 16 : width);
        const std::size_t from = random() % (chunk->size() + 2);
        std::size_t expected = from;
        while (expected < chunk->size() && chunk->key(expected) < wanted) ++expected;
        ASSERT_EQ(chunk->lower_bound(wanted, from), expected);
      }
    }
  }
}

// Reads everything, as the sanitizers see it.
std::size_t read_all(const FingerprintChunk& chunk) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    for (const char byte : chunk.key(i)) sum += static_cast<unsigned char>(byte);
    sum += chunk.fingerprint(i).lo + chunk.flags(i);
  }
  return sum + chunk.lower_bound("ab");
}

TEST(FingerprintChunk, cut_bytes_are_an_error) {
  for (const auto& keys : {kEqualWidth, kAnyWidth}) {
    const auto bytes = chunk_of(keys);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const std::string cut = bytes.substr(0, length);  // its own allocation: an overrun shows
      const auto chunk = FingerprintChunk::parse(cut);
      ASSERT_FALSE(chunk) << length;
      EXPECT_EQ(chunk.error().code, ErrorCode::malformed);
    }
    EXPECT_FALSE(FingerprintChunk::parse(bytes + "x"));
  }
}

TEST(FingerprintChunk, damaged_bytes_are_an_error) {
  for (const auto& keys : {kEqualWidth, kAnyWidth}) {
    const auto bytes = chunk_of(keys);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        auto damaged = bytes;
        if (damaged[at] == static_cast<char>(value)) continue;
        damaged[at] = static_cast<char>(value);
        EXPECT_FALSE(FingerprintChunk::parse(damaged)) << at;
      }
    }
  }
}

// Whoever writes a right sum over wrong bytes gets nonsense, but no overrun (run under the address
// sanitizer).
TEST(FingerprintChunk, forged_bytes_are_an_error_or_readable) {
  for (const auto& keys : {kEqualWidth, kAnyWidth}) {
    const auto bytes = chunk_of(keys);
    std::size_t read = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        auto forged = bytes;
        forged[at] = static_cast<char>(value);
        const auto head = XXH3_64bits(forged.data(), 12);
        const auto sum = XXH3_64bits_withSeed(forged.data() + 20, forged.size() - 20, head);
        std::memcpy(forged.data() + 12, &sum, sizeof sum);
        const auto chunk = FingerprintChunk::parse(forged);
        if (!chunk) continue;
        read_all(*chunk);
        ++read;
      }
    }
    EXPECT_GT(read, bytes.size());
  }
}

TEST(FingerprintChunkBuilder, says_when_a_chunk_is_full_by_entries_or_by_key_bytes) {
  FingerprintChunkBuilder builder;
  for (std::size_t i = 0; i < kChunkEntries; ++i) {
    EXPECT_FALSE(builder.full());
    builder.add(std::to_string(10'000 + i), {}, 0);
  }
  EXPECT_TRUE(builder.full());
  builder.finish();
  EXPECT_FALSE(builder.full());
  builder.add(std::string(kChunkKeyBytes, 'k'), {}, 0);
  EXPECT_TRUE(builder.full());
}

}  // namespace
}  // namespace sluice
