// A record over the largest size costs itself, whatever the blocks; all others load.
#include "decode/decode_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace sluice::decode {
namespace {

constexpr std::size_t kLargest = 60;

Result<Decoded> decode_in_blocks(std::string_view text, Format format, std::size_t block_bytes) {
  DecodeSpec spec;
  spec.format = format;
  spec.csv.quote = '"';
  spec.csv.delimiter = ',';
  if (format == Format::json) spec.records = "$";
  OpenOptions options;
  options.block_bytes = block_bytes;
  options.max_record_bytes = kLargest;
  const auto input = input_of(text);
  SLUICE_TRY(const auto seen, probe(input, spec, {}));
  return decode_all(input, spec, seen, schema_of(seen), options);
}

std::string outcome(const Result<Decoded>& all) {
  if (!all) return std::string(to_string(all.error().code));
  std::string text;
  for (std::size_t r = 0; r < all->rows.size(); ++r)
    text += fmt::format("{}: {}\n", all->ordinals[r], fmt::join(all->rows[r], "|"));
  for (const auto& reject : all->rejects)
    text += fmt::format("{} {} {} {}\n", reject.ordinal, reject.locator, reject.code, reject.raw);
  return text;
}

void expect_the_same_for_all_blocks(std::string_view text, Format format, const std::string& expected) {
  for (const std::size_t block : {7, 13, 61, 64, 200, 4096})
    EXPECT_EQ(outcome(decode_in_blocks(text, format, block)), expected) << "blocks of " << block;
}

const std::string kLong(200, 'x');

TEST(LargeRecords, cost_themselves_in_csv) {
  const auto text =
      fmt::format("id,name\n1,a\n2,{}\n3,\"b\n\"\"c\"\n4,\"{}\n,\"\"{}\"\n5,e\n", kLong, kLong, kLong);
  expect_the_same_for_all_blocks(text, Format::csv,
                                 fmt::format("0: 1|a\n2: 3|b\n\"c\n4: 5|e\n1 line 3 recordTooLarge 2,{}\n"
                                             "3 line 6 recordTooLarge 4,\"{}\n,\"\"{}\"\n",
                                             kLong, kLong, kLong));
}

TEST(LargeRecords, cost_themselves_in_json) {
  const auto text = fmt::format(
      R"([{{"id":1,"name":"a"}}, {{"id":2,"name":"{}]}}\"\\"}} , {{"id":3,"name":"b"}},7,{{"id":4,"q":[{{"x":"{}"}}]}}])",
      kLong, kLong);
  expect_the_same_for_all_blocks(
      text, Format::json,
      fmt::format("0: 1|a|\\N\n2: 3|b|\\N\n"
                  "1 record 2 (byte 22) recordTooLarge {{\"id\":2,\"name\":\"{}]}}\\\"\\\\\"}}\n"
                  "3 record 4 (byte 269) notAnObject 7\n"
                  "4 record 5 (byte 271) recordTooLarge {{\"id\":4,\"q\":[{{\"x\":\"{}\"}}]}}\n",
                  kLong, kLong));
}

TEST(LargeRecords, cost_themselves_in_ndjson) {
  const auto text = fmt::format(
      "{{\"id\":1}}\n{{\"id\":2,\"n\":\"{}\"}}\n{{\"id\":3}}\n{{\"id\":4,\"n\":\"{}\"}}", kLong, kLong);
  expect_the_same_for_all_blocks(
      text, Format::ndjson,
      fmt::format("0: 1|\\N\n2: 3|\\N\n1 line 2 recordTooLarge {{\"id\":2,\"n\":\"{}\"}}\n"
                  "3 line 4 recordTooLarge {{\"id\":4,\"n\":\"{}\"}}\n",
                  kLong, kLong));
}

TEST(LargeRecords, that_never_end_are_a_cut_source) {
  EXPECT_EQ(outcome(decode_in_blocks("id,name\n1,a\n2,\"" + kLong, Format::csv, 16)), "truncated");
  EXPECT_EQ(outcome(decode_in_blocks("[{\"id\":1},{\"id\":2,\"n\":\"" + kLong, Format::json, 16)),
            "truncated");
  const auto header = decode_in_blocks("id,\"" + kLong + "\"\n1,a\n", Format::csv, 16);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, ErrorCode::too_large);
}

// Sizes around the limit: no block size decides otherwise than another.
TEST(LargeRecords, are_the_same_ones_for_every_block_size) {
  std::mt19937 random(7);
  const auto some = [&](std::size_t most) { return std::string(random() % most, 'y'); };
  for (int round = 0; round < 200; ++round) {
    for (const auto format : {Format::csv, Format::json, Format::ndjson}) {
      std::string text = format == Format::csv ? "id,n\n" : format == Format::json ? "[" : "";
      for (int r = 0; r < 6; ++r) {
        if (format == Format::csv) {
          text += fmt::format("{},{}\n", r,
                              random() % 2 == 0 ? some(90) : "\"" + some(50) + "\n" + some(50) + "\"");
        } else {
          text +=
              fmt::format("{}{}{{\"id\":{},\"n\":\"{}\"}}{}", format == Format::json && r > 0 ? "," : "",
                          std::string(random() % 3, ' '), r, some(70), format == Format::json ? "" : "\n");
        }
      }
      if (format == Format::json) text += "]";
      SCOPED_TRACE(text);
      expect_the_same_for_all_blocks(text, format, outcome(decode_in_blocks(text, format, 1 << 16)));
    }
  }
}

}  // namespace
}  // namespace sluice::decode
