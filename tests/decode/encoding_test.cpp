// Which encoding a CSV source is read in when nobody says: one for all of it, wherever it first shows.
#include "decode/decode_support.h"
#include "decode/encoding_guess.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::decode {
namespace {

Encoding verdict_in_pieces(std::string_view text, std::size_t piece) {
  EncodingTally tally;
  for (std::size_t at = 0; at < text.size(); at += piece) tally.add(text.substr(at, piece));
  return tally.verdict();
}

TEST(EncodingGuess, tells_western_text_from_damaged_utf8_and_from_what_it_cannot_know) {
  constexpr auto kUtf8 = Encoding::utf8;
  constexpr auto kWestern = Encoding::windows1252;
  const std::vector<std::pair<std::string, Encoding>> cases = {
      {"plain", kUtf8},
      {"", kUtf8},
      {"Z\xC3\xBCrich", kUtf8},
      {"Z\xFCrich", kWestern},
      {"caf\xE9, na\xEFve, \x80 5", kWestern},
      {"\xC4\xD6\xDC", kWestern},
      {"gr\xF6\xDF"
       "er",
       kWestern},
      {"Z\xC3\xBCrich, Gen\xC3\xA8ve, Z\xFCrich", kUtf8},            // damaged
      {"Z\xC3\xBCrich, Z\xFCrich, Gen\xE8ve", kWestern},             // "Ã¼" happens
      {"\xCC\xEE\xF1\xEA\xE2\xE0 \xD0\xEE\xF1\xF1\xE8\xFF", kUtf8},  // Cyrillic, windows-1251
      {"\x83\x65\x83\x58\x83\x67 \x81\x41", kUtf8},                  // Japanese, Shift-JIS
      {std::string("Z\xFCrich\0", 7), kUtf8},                        // no text at all
      {"Z\xC3", kUtf8},                                              // cut in a character
      {"\xED\xA0\x80 \xC0\xAF \xF5 \xE9t\xE9", kWestern},            // what UTF-8 forbids counts as broken
      {"\xF0\x9F\x98\x80", kUtf8},
  };
  for (const auto& [text, expected] : cases) {
    for (const std::size_t piece : {1, 2, 3, 8, 100})
      EXPECT_EQ(verdict_in_pieces(text, piece), expected) << text << " in pieces of " << piece;
    // The same behind and in front of ASCII that is taken eight bytes at a time.
    const std::string ascii(21, 'x');
    EXPECT_EQ(verdict_in_pieces(ascii + text + ' ' + ascii, 100), text == "Z\xC3" ? kWestern : expected)
        << text;
  }
}

// More ASCII than the start that is looked at, then one row with `last` in it.
std::string late(std::string_view last, std::size_t shift) {
  std::string text = "id,name\n" + std::to_string(shift) + "," + std::string(shift, 'p') + "\n";
  for (int i = 0; text.size() < (1u << 20) + 4096; ++i) text += fmt::format("{},some name or other\n", i);
  text += fmt::format("7,{}\n8,behind\n", last);
  return text;
}

TEST(EncodingGuess, a_late_byte_makes_the_pass_end_and_the_next_one_read_all_of_it_right) {
  for (std::size_t shift = 0; shift < 40; ++shift) {
    const auto text = late("Z\xFCrich \x80", shift);
    const auto input = input_of(text);
    auto seen = *probe(input, {}, {});
    EXPECT_TRUE(seen.csv.encoding_assumed);
    ASSERT_EQ(seen.csv.encoding, Encoding::utf8) << "its start is ASCII";
    for (const std::size_t block : {64 * 1024 + 1, 512 * 1024}) {
      OpenOptions options;
      options.block_bytes = block;
      auto first = seen;
      const auto decoder = *open(input, {}, first, schema_of(seen), options, {});
      const auto all = read_all(*decoder);
      ASSERT_TRUE(all) << all.error().describe();
      ASSERT_EQ(all->findings.encoding, Encoding::windows1252);
      EXPECT_EQ(all->rejected, 0u);
      RowBatch batch;
      EXPECT_FALSE(*decoder->next(batch, {})) << "it stays at its end";

      first.csv.encoding = *all->findings.encoding;
      const auto again = decode_all(input, {}, first, schema_of(seen), options);
      ASSERT_TRUE(again);
      EXPECT_FALSE(again->findings.encoding);
      EXPECT_EQ(again->rejected, 0u);
      EXPECT_EQ(again->rows[again->rows.size() - 2][1], "Zürich €");
    }
  }
}

TEST(EncodingGuess, a_late_byte_that_is_damage_costs_its_record) {
  for (const std::size_t shift : {0, 1, 2, 3}) {
    const auto text = late("Gen\xC3\xA8ve\n9,Z\xFCrich", shift);
    const auto all = decode_inferred(input_of(text));
    ASSERT_TRUE(all);
    EXPECT_FALSE(all->findings.encoding);
    ASSERT_EQ(all->rejected, 1u);
    EXPECT_EQ(all->rejects[0].code, "invalidUtf8");
    EXPECT_NE(all->rejects[0].message.find("csv: {encoding: windows-1252}"), std::string::npos);
    EXPECT_EQ(all->rows[all->rows.size() - 2][1], "Genève");
  }
}

TEST(EncodingGuess, a_stated_encoding_is_taken_at_its_word) {
  DecodeSpec spec;
  spec.csv.encoding = "utf-8";
  const auto all = decode_inferred(input_of(late("Z\xFCrich", 0)), spec);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->rejected, 1u);
  EXPECT_FALSE(all->findings.encoding);
  EXPECT_FALSE(probe(input_of("\xEF\xBB\xBFid,name\n1,Z\xFCrich\n"), {}, {})->csv.encoding_assumed)
      << "a byte order mark states it";
}

TEST(EncodingGuess, sees_a_byte_in_the_sample_of_the_probe_behind_its_start) {
  // Few and long records: the sample of 1,000 goes on behind the first megabyte.
  std::string text = "id,name\n";
  for (int i = 0; i < 300; ++i) text += fmt::format("{},{}\n", i, std::string(5000, 'x'));
  text += "300,Z\xFCrich\n";
  const auto seen = probe(input_of(text), {}, {});
  ASSERT_TRUE(seen) << seen.error().describe();
  EXPECT_EQ(seen->csv.encoding, Encoding::windows1252);
  EXPECT_EQ(seen->sampled_records, 301u);
}

TEST(EncodingGuess, works_through_compression_and_stops_when_asked) {
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = guess_encoding(input_of("a,b\n1,\xFC\n"), stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace sluice::decode
