// Numbers keep their digits: what is too wide is reported, keys are spelled one way, exponents are exact.
#include "decode/decode_support.h"
#include "model/number.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace sluice::decode {
namespace {

using Rows = std::vector<std::vector<std::string>>;

SchemaPtr one_column(ValueType type, bool key = false, bool wide = false) {
  auto schema = std::make_shared<Schema>();
  schema->columns.push_back({.id = 1, .name = "n", .from = "n", .type = type, .wide = wide});
  if (key) schema->key = {0};
  return schema;
}

Decoded decode(std::string_view text, SchemaPtr schema, bool declared) {
  const auto input = input_of(text);
  OpenOptions options;
  options.strict = {declared};
  auto all = decode_all(input, {}, *probe(input, {}, {}), std::move(schema), options);
  EXPECT_TRUE(all) << all.error().describe();
  return all ? std::move(*all) : Decoded{};
}

TEST(Numbers, a_decimal_that_sql_numbers_round_is_a_finding_even_where_it_is_declared) {
  for (const bool declared : {true, false}) {
    for (const std::string_view text :
         {"n\n1.5\n0.1234567890123456789\n0.30000000000000004\n",
          R"([{"n":1.5},{"n":0.1234567890123456789},{"n":3.0000000000000004e-1}])"}) {
      auto all = decode(text, one_column(ValueType::decimal), declared);
      EXPECT_EQ(all.rejected, 0u);
      EXPECT_EQ(all.rows, (Rows{{"1.5"}, {"\\N"}, {"0.30000000000000004"}}));
      ASSERT_EQ(all.findings.misfits.size(), 1u);
      EXPECT_EQ(all.findings.misfits[0].second.type, ValueType::decimal);
      EXPECT_TRUE(all.findings.misfits[0].second.wide);
      all = decode(text, one_column(ValueType::decimal, false, true), declared);
      EXPECT_EQ(all.rows, (Rows{{"1.5"}, {"0.1234567890123456789"}, {"0.30000000000000004"}}));
      EXPECT_TRUE(all.findings.misfits.empty());
    }
  }
}

TEST(Numbers, a_wide_key_is_read_again_not_rejected) {
  const auto all = decode("n\n1.5\n0.1234567890123456789\n", one_column(ValueType::decimal, true), true);
  EXPECT_EQ(all.rejected, 0u);
  EXPECT_EQ(all.findings.misfits.size(), 1u);
}

TEST(Numbers, a_column_of_doubles_takes_what_doubles_hold) {
  const auto all = decode(R"([{"n":1.5e-60},{"n":7},{"n":0.1},{"n":0.30000000000000004}])",
                          one_column(ValueType::real), false);
  EXPECT_EQ(all.rows, (Rows{{"1.5e-60"}, {"7"}, {"0.1"}, {"0.30000000000000004"}}));
  EXPECT_TRUE(all.findings.misfits.empty());
  for (const auto* number : {"9007199254740993", "0.12345678901234567890", "1e999", "\"1.5\"", "1e-400"}) {
    const auto more = decode(fmt::format(R"([{{"n":{}}}])", number), one_column(ValueType::real), false);
    ASSERT_EQ(more.findings.misfits.size(), 1u) << number;
    EXPECT_EQ(more.findings.misfits[0].second.type, ValueType::text) << number;
  }
}

TEST(Numbers, a_declared_double_is_the_next_one) {
  EXPECT_EQ(decode("n\n0.12345678901234567890\n1e2\n", one_column(ValueType::real), true).rows,
            (Rows{{"0.12345678901234568"}, {"100"}}));
}

TEST(Numbers, a_text_key_has_one_spelling_for_each_number_of_json) {
  const auto* const text =
      R"([{"n":1E2},{"n":100},{"n":1.0},{"n":-0},{"n":15e-1},{"n":1e400},{"n":0.1e401},{"n":"1E2"},{"n":true}])";
  EXPECT_EQ(decode(text, one_column(ValueType::text, true), false).rows,
            (Rows{{"100"}, {"100"}, {"1"}, {"0"}, {"1.5"}, {"1e400"}, {"1e400"}, {"1E2"}, {"true"}}));
  EXPECT_EQ(decode(text, one_column(ValueType::text, true), true).rows[0][0], "1E2")
      << "declared: as it stands";
  EXPECT_EQ(decode(text, one_column(ValueType::text), false).rows[0][0], "1E2") << "no key: as it stands";
}

TEST(Numbers, a_text_key_of_csv_is_as_it_stands_but_for_blanks_around_integers) {
  EXPECT_EQ(decode("n,m\n 7 ,\n1.10,\n1E2,\n-0,\n 2024-01-31,\n A 1 ,\n\" 7\",\n",
                   one_column(ValueType::text, true), false)
                .rows,
            (Rows{{"7"}, {"1.10"}, {"1E2"}, {"0"}, {"2024-01-31"}, {" A 1 "}, {" 7"}}));
}

TEST(Numbers, an_inferred_integer_takes_exact_exponents_of_json_only) {
  EXPECT_EQ(decode(R"([{"n":1E2},{"n":-25e1}])", one_column(ValueType::int64), false).rows,
            (Rows{{"100"}, {"-250"}}));
  const auto all = decode("n\n1E2\n1.5E2\n", one_column(ValueType::int64), false);
  EXPECT_EQ(all.rows, (Rows{{"\\N"}, {"150"}}));
  ASSERT_EQ(all.findings.misfits.size(), 1u);
  EXPECT_EQ(all.findings.misfits[0].second.type, ValueType::text);
  EXPECT_EQ(decode("n,m\n\"42\",\n\"1.5E2\",\n", one_column(ValueType::int64), false).rows,
            (Rows{{"42"}, {"\\N"}}))
      << "in quotes an exponent is none";
}

TEST(Numbers, decimal_commas_have_no_thousand_points) {
  // 2,5 says how decimals are written here, so that 1.000 is no 1.
  const auto all = decode("n;m\n1.000;2,5\n1.000,5;2,5\n12;2,5\n", one_column(ValueType::int64), true);
  EXPECT_EQ(all.rows, (Rows{{"12"}}));
  EXPECT_EQ(all.rejected, 2u);
}

// Random numbers in random spellings: what is decoded is what was meant, in both formats.
TEST(Numbers, random_spellings_of_random_numbers_are_read_exactly) {
  std::mt19937_64 random(20240131);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<std::uint64_t>(limit));
  };
  for (int round = 0; round < 200; ++round) {
    std::string csv = "n\n0.5\n";
    std::string json = R"([{"n":0.5})";
    Rows meant = {{"0.5"}};
    const int longest = 1 + below(30);
    for (int i = 0; i < 20; ++i) {
      std::string digits(1, static_cast<char>('1' + below(9)));
      while (static_cast<int>(digits.size()) < longest && below(8) != 0)
        digits += static_cast<char>('0' + below(10));
      const int scale = below(static_cast<int>(digits.size()) + 3);
      const auto sign = below(3) == 0 ? "-" : "";
      // The number is sign digits × 10^-scale.
      std::string padded = digits;
      if (static_cast<int>(padded.size()) <= scale)
        padded.insert(0, static_cast<std::size_t>(scale) + 1 - padded.size(), '0');
      const auto point = padded.size() - static_cast<std::size_t>(scale);
      std::string plain = sign + padded.substr(0, point);
      std::string canonical = plain;
      if (auto fraction = padded.substr(point); !fraction.empty()) {
        plain += '.' + fraction;
        while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
        if (!fraction.empty()) canonical += '.' + fraction;
      }
      meant.push_back({canonical});
      // CSV integers of more than 18 digits are text; a point makes them numbers.
      csv +=
          (plain.find('.') == std::string::npos ? plain + ".0" : plain + (below(2) == 0 ? "0" : "")) + "\n";
      // JSON: the point anywhere in the digits, made good by the exponent.
      const auto at = 1 + static_cast<std::size_t>(below(static_cast<int>(digits.size())));
      const auto exponent = static_cast<int>(digits.size() - at) - scale;
      json += fmt::format(R"(,{{"n":{}{}{}{}{}{}{}}})", sign, digits.substr(0, at),
                          at < digits.size() ? "." : "", digits.substr(at), below(2) == 0 ? "e" : "E",
                          exponent >= 0 && below(2) == 0 ? "+" : "", exponent);
    }
    json += "]";
    for (const auto& text : {csv, json}) {
      const auto all = decode(text, one_column(ValueType::decimal, false, true), false);
      if (all.findings.misfits.empty()) {
        EXPECT_EQ(all.rows, meant) << text;
      }
      EXPECT_TRUE(all.findings.misfits.empty()) << text;
    }
  }
}

}  // namespace
}  // namespace sluice::decode
