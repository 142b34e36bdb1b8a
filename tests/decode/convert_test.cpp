#include "decode/convert.h"

#include "base/file.h"
#include "base/text.h"
#include "decode/infer.h"
#include "support/paths.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::decode {
namespace {

std::string cases(const char* name) { return *read_file(test::source_dir() + "/tests/decode/" + name); }

std::string converted(ValueType type, Rule rule, std::string_view text, DecimalLimits limits) {
  std::string scratch;
  const auto show = [](const auto& parsed, auto format) {
    return parsed ? std::string(format(parsed.value)) : std::string(code_of(parsed.misfit));
  };
  const auto plain = [](auto value) { return fmt::format("{}", value); };
  switch (type) {
    case ValueType::int64:
      return show(parse_int64(text, rule), plain);
    case ValueType::boolean:
      return show(parse_boolean(text, rule), plain);
    case ValueType::real:
      return show(parse_real(text), plain);
    case ValueType::decimal:
      return show(parse_decimal(text, rule, limits, scratch), plain);
    case ValueType::date:
      return show(parse_date(text, rule), format_date);
    case ValueType::timestamp:
      return show(parse_timestamp(text, rule), format_timestamp);
    case ValueType::json:
      return canonical_json(text).value_or("notJson");
    case ValueType::text:
      break;
  }
  return std::string(text);
}

TEST(Convert, every_line_of_the_table_holds) {
  const auto table = cases("convert_cases.tsv");
  for (const auto line : split(table, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    SCOPED_TRACE(line);
    const auto cells = split(line, '\t');
    ASSERT_GE(cells.size(), 4u);
    DecimalLimits limits;
    if (cells.size() > 4) {
      const auto parts = split(cells[4], ',');
      limits = {std::stoi(std::string(parts.at(0))), std::stoi(std::string(parts.at(1)))};
    }
    const auto rule = cells[1] == "exact"     ? Rule::exact
                      : cells[1] == "literal" ? Rule::literal
                                              : Rule::declared;
    EXPECT_EQ(converted(*value_type_from(cells[0]), rule, cells[2], limits), cells[3]);
  }
}

TEST(Convert, decimal_commas_become_points) {
  std::string scratch;
  EXPECT_EQ(parse_decimal("1,50", Rule::exact, {0, 0, ','}, scratch).value, "1.5");
  EXPECT_FALSE(parse_decimal("1.50", Rule::exact, {0, 0, ','}, scratch));
  EXPECT_EQ(parse_decimal("1,5e3", Rule::exact, {0, 0, ','}, scratch).value, "1500");
  EXPECT_EQ(parse_real("2,5", ',').value, 2.5);
  EXPECT_EQ(parse_int64("5,00", Rule::declared, ',').value, 5);
  // A thousand to people who write decimal commas: it must not become 1.
  EXPECT_FALSE(parse_int64("1.000", Rule::declared, ','));
}

TEST(Convert, an_exponent_costs_no_memory) {
  std::string scratch;
  for (const auto* text : {"1e400000000", "1e-400000000", "1e99999999999999999999"}) {
    EXPECT_EQ(parse_decimal(text, Rule::declared, {}, scratch).misfit, Misfit::out_of_range) << text;
    EXPECT_EQ(parse_decimal(text, Rule::literal, {}, scratch).misfit, Misfit::out_of_range) << text;
    EXPECT_EQ(parse_int64(text, Rule::declared).misfit, Misfit::out_of_range) << text;
    EXPECT_EQ(kind_of(text, Written::literal).type, ValueType::text) << text;
  }
  EXPECT_LT(scratch.capacity(), 1000u);
}

TEST(Infer, every_line_of_the_table_holds) {
  const auto table = cases("infer_cases.tsv");
  for (const auto line : split(table, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    SCOPED_TRACE(line);
    const auto cells = split(line, '\t');
    const bool json = cells.size() > 2 && cells[2] == "json";
    Inference inference;
    for (auto value : split(cells[0], '|')) {
      const bool quoted = value.starts_with('\'');
      if (quoted) value = value.substr(1, value.size() - 2);
      inference.add_text(value, quoted ? (json ? Written::string : Written::quoted)
                                       : (json ? Written::literal : Written::plain));
    }
    const auto seen = inference.result("x");
    const auto decimal =
        fmt::format("decimal({},{}){}", seen.precision, seen.scale, seen.wide ? " wide" : "");
    EXPECT_EQ(seen.type == ValueType::decimal ? decimal : std::string(to_string(seen.type)), cells[1]);
    EXPECT_FALSE(seen.all_null);
  }
}

TEST(Infer, a_field_that_is_always_null_is_deferred) {
  Inference inference;
  inference.add_null();
  EXPECT_TRUE(inference.result("x").all_null);
  EXPECT_TRUE(inference.result("x").nullable);
}

TEST(Infer, an_ambiguous_date_stays_text_and_says_why) {
  Inference inference;
  inference.add_text("03/04/05", Written::plain);
  EXPECT_EQ(inference.result("x").type, ValueType::text);
  EXPECT_NE(inference.result("x").note, "");
}

TEST(Infer, numbers_that_may_be_part_numbers_stay_text_and_say_why) {
  Inference inference;
  inference.add_text("1E5", Written::plain);
  inference.add_text("77", Written::plain);
  EXPECT_EQ(inference.result("x").type, ValueType::text);
  EXPECT_NE(inference.result("x").note.find("declare"), std::string::npos);
}

TEST(Infer, what_was_seen_elsewhere_joins_exactly) {
  Observed integers;
  integers.type = ValueType::int64;
  integers.all_null = false;
  Inference inference;
  inference.add_observed(integers);
  inference.add_text("1.25", Written::plain);
  const auto seen = inference.result("x");
  EXPECT_EQ(seen.type, ValueType::decimal);
  EXPECT_EQ(seen.precision, 20) << "any integer that may be there, and two decimals";
  EXPECT_EQ(seen.scale, 2);
}

}  // namespace
}  // namespace sluice::decode
