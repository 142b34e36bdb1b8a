// No digit of a number and no key is ever lost: what is inferred, what a column may become, how it is kept.
#include "load/numbers_fixture.h"

namespace sluice::load::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Numbers : public NumbersFixture {};

TEST_F(Numbers, an_exponent_costs_the_other_numbers_no_digit) {
  EXPECT_EQ(loaded(R"([{"id":1,"n":9007199254740993,"d":0.1234567890123456789},
                       {"id":2,"n":1E2,"d":2.5e-1}])"),
            "+2 ~0 -0 =0");
  EXPECT_EQ(type_of("n"), "BIGINT");
  EXPECT_THAT(select("select id, n, d from part order by id"),
              ElementsAre("1|9007199254740993|0.1234567890123456789", "2|100|0.25"));
}

TEST_F(Numbers, the_spellings_of_one_number_are_one_key) {
  EXPECT_EQ(loaded(R"([{"id":9007199254740992,"v":1},{"id":9007199254740993,"v":2},{"id":100,"v":3}])"),
            "+3 ~0 -0 =0");
  EXPECT_EQ(loaded(R"([{"id":1E2,"v":4}])"), "+0 ~1 -0 =0");
  EXPECT_THAT(select("select id, v from part order by id"),
              ElementsAre("100|4", "9007199254740992|1", "9007199254740993|2"));
}

TEST_F(Numbers, a_key_with_a_fraction_is_text_in_its_shortest_spelling) {
  EXPECT_EQ(
      loaded(R"([{"id":1.50,"v":1},{"id":2,"v":2},{"id":1e400,"v":3},{"id":12345678901234567890,"v":4}])"),
      "+4 ~0 -0 =0");
  EXPECT_EQ(type_of("id"), "TEXT");
  EXPECT_EQ(
      loaded(
          R"([{"id":15e-1,"v":1},{"id":2.0,"v":2},{"id":10E399,"v":3},{"id":1234567890123456789e1,"v":4}])"),
      "+0 ~0 -0 =4");
  EXPECT_THAT(select("select id from part"),
              UnorderedElementsAre("1.5", "2", "1e400", "12345678901234567890"));
}

TEST_F(Numbers, an_integer_key_that_becomes_text_stays_the_same_key) {
  EXPECT_EQ(loaded(R"([{"id":1,"v":1},{"id":200,"v":2}])"), "+2 ~0 -0 =0");
  EXPECT_EQ(loaded(R"([{"id":2E2,"v":2},{"id":0.5,"v":3},{"id":1e999999999999999999999,"v":4}])"),
            "+2 ~0 -0 =1");
  EXPECT_THAT(select("select id from part"),
              UnorderedElementsAre("1", "200", "0.5", "1e999999999999999999999"));
}

TEST_F(Numbers, blanks_around_an_integer_key_in_csv_are_not_part_of_it) {
  EXPECT_EQ(loaded("v,id\na, 1\nb, 2\n"), "+2 ~0 -0 =0");
  EXPECT_EQ(loaded("v,id\na, 1\nb, 2\nc, X 3\n"), "+1 ~0 -0 =2");
  EXPECT_THAT(select("select id, v from part"), UnorderedElementsAre("1|a", "2|b", " X 3|c"));
}

TEST_F(Numbers, version_numbers_as_csv_keys_do_not_collapse) {
  EXPECT_EQ(loaded("id,v\n1.1,a\n1.10,b\n"), "+2 ~0 -0 =0");
  EXPECT_THAT(select("select id, v from part"), UnorderedElementsAre("1.1|a", "1.10|b"));
}

TEST_F(Numbers, part_numbers_with_an_e_stay_text_in_csv) {
  EXPECT_EQ(loaded("id,part\n1E5,1E5\n12E3,12345\n100000,77\n"), "+3 ~0 -0 =0");
  EXPECT_THAT(select("select id, part from part"),
              UnorderedElementsAre("1E5|1E5", "12E3|12345", "100000|77"));
}

TEST_F(Numbers, a_part_number_behind_the_sample_makes_text_too) {
  std::string text = "id,part\n";
  for (int i = 0; i < 3000; ++i) text += fmt::format("{},{}\n", i, i == 2500 ? "12E3" : std::to_string(i));
  EXPECT_EQ(loaded(text), "+3000 ~0 -0 =0");
  EXPECT_THAT(select("select part from part where id in ('7', '2500')"), UnorderedElementsAre("7", "12E3"));
}

TEST_F(Numbers, what_printf_writes_beside_numbers_with_a_point_is_a_number) {
  EXPECT_EQ(loaded("id,x\n1,0.5\n2,1e-05\n3,1.5e+06\n4,2e+06\n"), "+4 ~0 -0 =0");
  EXPECT_THAT(select("select id from part where x > 0.4 order by x"), ElementsAre("1", "3", "4"));
  EXPECT_THAT(select("select x from part where id = 2"), ElementsAre("1e-05"));
}

TEST_F(Numbers, huge_exponents_cost_nothing_and_lose_nothing) {
  EXPECT_EQ(loaded(R"([{"id":1,"n":1e400000000},{"id":2,"n":1e-400000000},{"id":3,"n":7}])"), "+3 ~0 -0 =0");
  EXPECT_THAT(select("select n from part order by id"), ElementsAre("1e400000000", "1e-400000000", "7"));
}

TEST_F(Numbers, doubles_beyond_decimals_are_doubles) {
  EXPECT_EQ(loaded(R"([{"id":1,"n":1.5e-60},{"id":2,"n":6.02214076e23},{"id":3,"n":0.1}])"), "+3 ~0 -0 =0");
  EXPECT_EQ(type_of("n"), "DOUBLE");
  EXPECT_THAT(select("select id from part where n > 0.01 order by n"), ElementsAre("3", "2"));
}

TEST_F(Numbers, a_number_that_no_double_holds_makes_text_of_doubles) {
  EXPECT_EQ(loaded(R"([{"id":1,"n":1.5e-60},{"id":2,"n":0.30000000000000004}])"), "+2 ~0 -0 =0");
  EXPECT_EQ(type_of("n"), "DOUBLE");
  EXPECT_EQ(loaded(R"([{"id":3,"n":0.12345678901234567890}])"), "+1 ~0 -0 =0");
  EXPECT_THAT(select("select n from part order by id"),
              ElementsAre("1.5e-60", "0.30000000000000004", "0.12345678901234567890"));
}

TEST_F(Numbers, stored_integers_and_decimals_are_never_rounded_by_what_comes_later) {
  EXPECT_EQ(loaded(R"([{"id":1,"n":9007199254740993,"d":12345678901234567.89,"e":1.25}])"), "+1 ~0 -0 =0");
  const auto receipt = load(R"([{"id":2,"n":1e-300,"d":1e-300,"e":1e-300}])");
  EXPECT_EQ(receipt.inserted, 1);
  EXPECT_THAT(receipt.schema_changes, ElementsAre("widened column n of part from int64 to text",
                                                  "widened column d of part from decimal to text",
                                                  "widened column e of part from decimal to double"));
  EXPECT_THAT(select("select n, d, e from part order by id"),
              ElementsAre("9007199254740993|12345678901234567.89|1.25", "1e-300|1e-300|1e-300"));
}

TEST_F(Numbers, integers_keep_their_digits_when_fractions_come) {
  EXPECT_EQ(loaded(R"([{"id":1,"n":999999999999999999}])"), "+1 ~0 -0 =0");
  EXPECT_EQ(loaded(R"([{"id":2,"n":0.5}])"), "+1 ~0 -0 =0");
  EXPECT_THAT(select("select n from part where n > 0.4 order by n"),
              ElementsAre("0.5", "999999999999999999"));
  EXPECT_EQ(type_of("n"), "DECIMAL(19,1)");
}

TEST_F(Numbers, a_json_string_is_no_number) {
  EXPECT_EQ(loaded(R"([{"id":1,"n":1.5,"f":true}])"), "+1 ~0 -0 =0");
  EXPECT_EQ(loaded(R"([{"id":2,"n":"1.50","f":"true"}])"), "+1 ~0 -0 =0");
  EXPECT_THAT(select("select n, f from part order by id"), ElementsAre("1.5|true", "1.50|true"));
}

TEST_F(Numbers, times_finer_than_microseconds_keep_their_digits) {
  EXPECT_EQ(loaded("id,at\n1,2024-01-31T09:30:00.1234567Z\n2,2024-01-31T09:30:00.1234560Z\n"), "+2 ~0 -0 =0");
  EXPECT_THAT(select("select at from part order by id"),
              ElementsAre("2024-01-31T09:30:00.1234567Z", "2024-01-31T09:30:00.1234560Z"));
}

TEST_F(Numbers, a_key_is_never_a_double_even_where_one_is_declared) {
  declare("id", ValueType::real);
  EXPECT_THAT(refused("id,v\n0.1,a\n"), HasSubstr("declare decimal or text"));
}

TEST_F(Numbers, a_key_of_timestamps_does_not_turn_into_text_under_its_rows) {
  EXPECT_EQ(loaded("id,v\n2024-01-31 10:00:00,a\n"), "+1 ~0 -0 =0");
  EXPECT_THAT(refused("id,v\n2024-01-31 10:00:00,a\nsoon,b\n"), HasSubstr("the key"));
  EXPECT_THAT(select("select id, v from part"), ElementsAre("2024-01-31T10:00:00Z|a"));
}

TEST_F(Numbers, the_precision_of_a_decimal_does_not_make_it_text) {
  declare("id", ValueType::int64);
  declare("price", ValueType::decimal, 28, 9);
  declare("rate", ValueType::decimal);
  EXPECT_EQ(loaded("id,price,rate\n1,10.5,10\n2,9.25,9.5\n3,-1,0.1\n4,1234567.123456789,1e3\n"),
            "+4 ~0 -0 =0");
  EXPECT_EQ(type_of("price"), "DECIMAL(28,9)");
  EXPECT_EQ(type_of("rate"), "DECIMAL");
  EXPECT_THAT(select("select id from part where price > 9 order by price"), ElementsAre("2", "1", "4"));
  EXPECT_THAT(select("select price, rate from part order by id"),
              ElementsAre("10.5|10", "9.25|9.5", "-1|0.1", "1234567.123456789|1000"));
}

TEST_F(Numbers, a_decimal_column_becomes_text_when_a_value_needs_it) {
  declare("id", ValueType::int64);
  declare("price", ValueType::decimal, 28, 9);
  EXPECT_EQ(loaded("id,price\n1,10.5\n2,0.1\n"), "+2 ~0 -0 =0");
  const auto receipt = load("id,price\n1,10.50\n3,12345678901234567.123456789\n");
  EXPECT_EQ(receipt.inserted, 1);
  EXPECT_EQ(receipt.updated, 0);
  EXPECT_EQ(receipt.unchanged, 1);
  EXPECT_EQ(receipt.rejected, 0);
  ASSERT_EQ(receipt.schema_changes.size(), 1u);
  EXPECT_THAT(receipt.schema_changes[0], HasSubstr("column price of part"));
  EXPECT_EQ(type_of("price"), "TEXT");
  EXPECT_THAT(select("select price from part order by id"),
              ElementsAre("10.5", "0.1", "12345678901234567.123456789"));
  EXPECT_EQ(loaded("id,price\n1,10.5\n3,12345678901234567.123456789\n"), "+0 ~0 -0 =2");
}

TEST_F(Numbers, a_long_decimal_behind_the_sample_makes_its_column_text_from_the_start) {
  std::string text = "id,price\n";
  for (int i = 0; i < 3000; ++i)
    text += fmt::format("{},{}\n", i, i == 2500 ? "12345678901234567890.25" : fmt::format("{}.5", i));
  EXPECT_EQ(loaded(text), "+3000 ~0 -0 =0");
  EXPECT_EQ(type_of("price"), "TEXT");
  EXPECT_THAT(select("select price from part where id in (7, 2500) order by id"),
              ElementsAre("7.5", "12345678901234567890.25"));
}

TEST_F(Numbers, a_declared_decimal_key_that_outgrows_numbers_keeps_its_rows) {
  declare("id", ValueType::decimal, 30, 4);
  EXPECT_EQ(loaded("id,v\n0.5,a\n1,b\n"), "+2 ~0 -0 =0");
  EXPECT_EQ(type_of("id"), "DECIMAL(30,4)");
  EXPECT_EQ(loaded("id,v\n0.50,a\n12345678901234567890.25,c\n"), "+1 ~0 -0 =1");
  EXPECT_THAT(select("select id, v from part"),
              UnorderedElementsAre("0.5|a", "1|b", "12345678901234567890.25|c"));
}

TEST_F(Numbers, zeros_and_ones) {
  EXPECT_EQ(loaded(R"([{"id":-0,"a":-0,"b":-0.0,"c":0e99999999999999999999,"d":1.0,"e":0.10}])"),
            "+1 ~0 -0 =0");
  EXPECT_EQ(loaded(R"([{"id":0,"a":0,"b":0,"c":0,"d":1,"e":0.1}])"), "+0 ~0 -0 =1");
  EXPECT_THAT(select("select id, a, b, c, d, e from part"), ElementsAre("0|0|0|0|1|0.1"));
}

TEST_F(Numbers, long_integers_are_text_and_longer_than_anything_too) {
  const std::string forty(40, '7');
  EXPECT_EQ(loaded(fmt::format("id,a,b,c\n1,9223372036854775807,18446744073709551616,{0}.{0}\n", forty)),
            "+1 ~0 -0 =0");
  EXPECT_THAT(select("select a, b, c from part"),
              ElementsAre(fmt::format("9223372036854775807|18446744073709551616|{0}.{0}", forty)));
}

}  // namespace
}  // namespace sluice::load::test
