// Values are stored so that SQL sees them rightly, and read back exactly.
#include "upsert/table_fixture.h"

#include <fmt/format.h>

#include <cmath>
#include <random>

namespace sluice::upsert {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

class Values : public TargetTable {};

const std::string kAllTypes =
    "id int64, b bool, i int64, d decimal(10,2), long decimal(30,4)+, plain decimal, r double, t text, day "
    "date, at "
    "timestamp, j json";

TEST_P(Values, every_type_comes_back_as_it_was) {
  const Schema wanted = schema_of(kAllTypes, {"id"});
  ASSERT_OK(
      first_load(wanted, {{"1", "1", "-9223372036854775808", "12345678.9", "12345678901234567890123456.7891",
                           "0.1", "0.1", "007", "2024-02-29", "2024-02-29T12:34:56.000001Z", "1.50"},
                          {"2", "0", "9223372036854775807", "-0.01", "-1", "10", "1e300", "", "0001-01-01",
                           "1969-12-31T23:59:59Z", "{}"},
                          {"3", {}, {}, {}, {}, {}, {}, {}, {}, {}, {}},
                          {"-4", "1", "0", "5", "0.0001", "100000000000000000000", "-0.5", "1e5",
                           "9999-12-31", "2000-01-01T00:00:00Z", "\"x\""}}));
  EXPECT_THAT(
      read_back(wanted),
      testing::UnorderedElementsAre(
          "1|1|-9223372036854775808|12345678.9|12345678901234567890123456.7891|0.1|0.1|007|2024-02-29|"
          "2024-02-29T12:34:56.000001Z|1.50",
          "2|0|9223372036854775807|-0.01|-1|10|1e+300||0001-01-01|1969-12-31T23:59:59Z|{}",
          "3|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
          "-4|1|0|5|0.0001|100000000000000000000|-0.5|1e5|9999-12-31|2000-01-01T00:00:00Z|\"x\""));
}

TEST_P(Values, sql_sees_numbers_as_numbers_and_texts_as_texts) {
  ASSERT_OK(first_load(schema_of(kAllTypes, {"id"}), {{"1", "1", "5", "1.5", "2", "3.5", "0.5", "007",
                                                       "2024-01-05", "2024-01-05T00:00:00Z", "1"}}));
  EXPECT_THAT(
      select("select typeof(b), typeof(i), typeof(d), typeof(long), typeof(plain), typeof(r), typeof(t), "
             "typeof(day), typeof(at), typeof(j), t, d = 1.5 from country"),
      ElementsAre("integer|integer|real|text|real|real|text|text|text|text|007|1"));
}

TEST_P(Values, random_decimals_of_fifteen_digits_come_back) {
  const Schema wanted = schema_of("id int64, d decimal(15,7)", {"id"});
  std::mt19937_64 random(7);
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) {
    const auto digits = random() % 1'000'000'000'000'000;
    const auto scale = random() % 8;
    std::string canonical;
    ASSERT_TRUE(
        canonical_decimal(fmt::format("{}{}e-{}", random() % 2 == 0 ? "-" : "", digits, scale), canonical));
    rows.push_back({std::to_string(i), canonical});
    texts.push_back(fmt::format("{}|{}", i, canonical));
  }
  ASSERT_OK(first_load(wanted, rows));
  EXPECT_THAT(read_back(wanted), UnorderedElementsAreArray(texts));
}

TEST_P(Values, decimals_that_numbers_hold_are_numbers_whatever_their_precision) {
  const Schema wanted = schema_of("id int64, d decimal(38,18)", {"id"});
  const std::vector<std::string> texts = {"9007199254740993",
                                          "-9223372036854775808",
                                          "0.30000000000000004",
                                          "12345678901234.56",
                                          "0.000000000000000001",
                                          "9.5",
                                          "10",
                                          "100000000000000000000"};
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> wanted_rows;
  for (const auto& text : texts) {
    wanted_rows.push_back(fmt::format("{}|{}", rows.size(), text));
    rows.push_back({std::to_string(rows.size()), text});
  }
  ASSERT_OK(first_load(wanted, rows));
  EXPECT_THAT(read_back(wanted), UnorderedElementsAreArray(wanted_rows));
  EXPECT_THAT(select("select id from country where d > 9 order by d"), ElementsAre("5", "6", "3", "0", "7"));
}

TEST_P(Values, random_doubles_come_back_as_decimals) {
  const Schema wanted = schema_of("id int64, d decimal", {"id"});
  std::mt19937_64 random(11);
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) {
    // Sixteen and seventeen digits, as programs write their doubles.
    const double value =
        std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 60) - 80);
    std::string canonical;
    ASSERT_TRUE(canonical_decimal(fmt::format("{}", value), canonical));
    rows.push_back({std::to_string(i), canonical});
    texts.push_back(fmt::format("{}|{}", i, canonical));
  }
  ASSERT_OK(first_load(wanted, rows));
  EXPECT_THAT(read_back(wanted), UnorderedElementsAreArray(texts));
}

TEST_P(Values, a_decimal_that_would_be_rounded_is_refused) {
  for (const std::string text : {"12345678901234567.89", "9223372036854775809.5", "0.1234567890123456789"}) {
    const auto loaded = first_load(schema_of("id int64, d decimal(30,20)", {"id"}), {{"1", text}});
    ASSERT_FALSE(loaded.has_value()) << text;
    EXPECT_THAT(loaded.error().message, HasSubstr(text));
  }
  execute("create table country (id integer primary key not null, d real)");
  const auto loaded = first_load(schema_of("id int64, d decimal(15,0)", {"id"}), {{"1", "9007199254740993"}});
  ASSERT_FALSE(loaded.has_value()) << "a REAL column rounds integers too";
}

TEST_P(Values, bytes_that_text_tools_break_survive) {
  const Schema wanted = schema_of("k text, v text", {"k"});
  const std::string nul("a\0b", 3);
  const std::string big(3'000'000, 'x');
  ASSERT_OK(
      first_load(wanted, {{"1", nul}, {"2", big}, {"3", "é😀\n\t"}, {"4", "'; drop table country --"}}));
  EXPECT_THAT(read_back(wanted), UnorderedElementsAreArray({"1|" + nul, "2|" + big, std::string("3|é😀\n\t"),
                                                            std::string("4|'; drop table country --")}));
}

TEST_P(Values, a_value_of_another_type_equals_no_source_value) {
  const Schema wanted = schema_of("id int64, n int64, b bool, day date, d decimal(5,2)", {"id"});
  ASSERT_OK(first_load(wanted, {{"1", {}, {}, {}, {}}}));
  execute("update country set n = 'abc', b = 7, day = 'soon', d = 'much'");
  const auto rows = read_back(wanted);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows[0], testing::Not(HasSubstr("NULL")));
}

TEST_P(Values, a_key_of_another_type_reads_as_no_key) {
  const Schema wanted = schema_of("k date, v text", {"k"});
  ASSERT_OK(first_load(wanted, {{"2024-01-01", "a"}}));
  execute("insert into country values ('soon', 'b')");
  EXPECT_THAT(read_back(wanted), testing::UnorderedElementsAre("2024-01-01|a", "NULL|b"));
}

TEST_P(Values, the_soft_delete_mark_is_one_more_column) {
  const Schema wanted = schema_of("id int64, v text", {"id"});
  ASSERT_OK(first_load(wanted, {{"1", "a"}, {"2", "b"}}, {.soft_delete = true}));
  execute("update country set _deleted_at = '2020-01-01T00:00:00Z' where id = 2");
  const auto found = test::must(look());
  auto reader = test::must(TableReader::open(*connection_, found, table_, std::make_shared<Schema>(wanted)));
  const auto is_soft_deleted = reader->is_soft_deleted();
  RowBatch batch;
  ASSERT_TRUE(test::must(reader->next(batch, {})));
  ASSERT_EQ(batch.rows(), 2u);
  EXPECT_FALSE(is_soft_deleted(batch, 0));
  EXPECT_TRUE(is_soft_deleted(batch, 1));
}

INSTANTIATE_TEST_SUITE_P(Databases, Values, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::upsert
