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
    const auto rule = cells[1] == "exact" ? Rule::exact : Rule::declared;
    EXPECT_EQ(converted(*value_type_from(cells[0]), rule, cells[2], limits), cells[3]);
  }
}

TEST(Convert, decimal_commas_become_points) {
  std::string scratch;
  EXPECT_EQ(parse_decimal("1,50", Rule::exact, {0, 0, ','}, scratch).value, "1.5");
  EXPECT_FALSE(parse_decimal("1.50", Rule::exact, {0, 0, ','}, scratch));
  EXPECT_EQ(parse_real("2,5", ',').value, 2.5);
}

TEST(Infer, every_line_of_the_table_holds) {
  const auto table = cases("infer_cases.tsv");
  for (const auto line : split(table, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    SCOPED_TRACE(line);
    const auto cells = split(line, '\t');
    Inference inference;
    for (auto value : split(cells[0], '|')) {
      const bool quoted = value.starts_with('\'');
      if (quoted) value = value.substr(1, value.size() - 2);
      inference.add_text(value, quoted);
    }
    const auto seen = inference.result("x");
    EXPECT_EQ(seen.type == ValueType::decimal ? fmt::format("decimal({},{})", seen.precision, seen.scale)
                                              : std::string(to_string(seen.type)),
              cells[1]);
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
  inference.add_text("03/04/05", false);
  EXPECT_EQ(inference.result("x").type, ValueType::text);
  EXPECT_NE(inference.result("x").note, "");
}

}  // namespace
}  // namespace sluice::decode
