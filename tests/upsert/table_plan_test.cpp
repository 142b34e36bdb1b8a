// Tables are made, grown, taken over and repaired.
#include "upsert/table_plan.h"

#include "upsert/table_fixture.h"

namespace sluice::upsert {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TablePlanning : public TargetTable {
 protected:
  void expect_refused(const Schema& wanted, const std::string& part) {
    const auto planned = plan(wanted);
    ASSERT_FALSE(planned.has_value());
    EXPECT_EQ(planned.error().code, ErrorCode::invalid_definition);
    EXPECT_THAT(planned.error().message, HasSubstr(part));
  }
};

TEST_P(TablePlanning, a_new_table_is_created) {
  const auto table_plan = test::must(plan(schema_of("code text, name text", {"code"})));
  EXPECT_THAT(table_plan.schema_changes, ElementsAre("created table country"));
  EXPECT_EQ(table_plan.schema->columns[0].id, 1);
  EXPECT_EQ(table_plan.schema->columns[1].id, 2);
  EXPECT_FALSE(table_plan.fingerprints_stale);
}

TEST_P(TablePlanning, awkward_names_are_fine) {
  table_ = "or\"der by; --";
  const Schema wanted = schema_of("select int64, a\"b text, Ünï cödé text, x'y text, group bool", {"select"});
  ASSERT_OK(first_load(wanted, {{"1", "a", "b", "c", "1"}}));
  schema_ = test::must(plan(wanted)).schema;
  ASSERT_OK(run(wanted,
                {{ChangeOp::update, {"1", "A", "B", "C", "0"}}, {ChangeOp::insert, {"2", {}, {}, {}, {}}}}));
  EXPECT_THAT(read_back(wanted), testing::UnorderedElementsAre("1|A|B|C|0", "2|NULL|NULL|NULL|NULL"));
}

TEST_P(TablePlanning, names_that_are_taken_are_refused) {
  for (const std::string name : {"_sluice_table", "sqlite_master", "_SLUICE_x", ""}) {
    table_ = name;
    EXPECT_FALSE(look().has_value()) << name;
  }
  execute("create view seen as select 1 as a");
  table_ = "seen";
  const auto found = look();
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::invalid_definition) << "it is the definition that names it";
}

TEST_P(TablePlanning, another_loaders_table_is_refused_with_its_owner) {
  ASSERT_OK(first_load(schema_of("id int64", {"id"}), {{"1"}}));
  table_ = "COUNTRY";
  const auto found = look(true, "Thief");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::already_exists);
  EXPECT_THAT(found.error().message, HasSubstr("Loader"));
}

TEST_P(TablePlanning, a_table_that_is_gone_is_nobodys) {
  ASSERT_OK(first_load(schema_of("id int64", {"id"}), {{"1"}}));
  execute("drop table country");
  const auto found = test::must(look(true, "Heir"));
  EXPECT_EQ(found.taken_from, "Loader");
  EXPECT_TRUE(found.first_load());
}

TEST_P(TablePlanning, another_loaders_table_is_given_away_by_who_knows) {
  ASSERT_OK(first_load(schema_of("id int64", {"id"}), {{"1"}}));
  const auto refused = inspect(*connection_, table_, "Heir", true, [](std::string_view owner, bool exists) {
    EXPECT_EQ(owner, "Loader");
    EXPECT_TRUE(exists);
    return Result<void>(fail(ErrorCode::already_exists, "not yet"));
  });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "not yet");
  const auto found = test::must(
      inspect(*connection_, table_, "Heir", true, [](std::string_view, bool) { return Result<void>(); }));
  EXPECT_EQ(found.taken_from, "Loader");
  EXPECT_EQ(found.generation(), 1);
  EXPECT_TRUE(test::must(note_owner(*connection_, table_, 1, "Heir")));
  EXPECT_FALSE(test::must(note_owner(*connection_, table_, 7, "Thief")));
  EXPECT_EQ(test::must(look(true, "Heir")).taken_from, "");
}

TEST_P(TablePlanning, a_new_column_is_added_and_ids_are_never_given_twice) {
  ASSERT_OK(first_load(schema_of("id int64, a text", {"id"}), {{"1", "x"}}));
  const Schema without = schema_of("id int64", {"id"});
  const auto dropped = test::must(plan(without));
  EXPECT_TRUE(dropped.fingerprints_stale);
  EXPECT_THAT(dropped.ddl, IsEmpty()) << "the column stays, it is no longer written";
  schema_ = dropped.schema;
  ASSERT_OK(run(without, {}));
  const Schema with_note = schema_of("id int64, note text", {"id"});
  const auto grown = test::must(plan(with_note));
  EXPECT_THAT(grown.schema_changes, ElementsAre("added column note text to country"));
  EXPECT_FALSE(grown.fingerprints_stale);
  EXPECT_EQ(grown.schema->columns[1].id, 3);
  ASSERT_OK(run(with_note, {{ChangeOp::update, {"1", "new"}}}));
  EXPECT_THAT(select("select id, a, note from country"), ElementsAre("1|x|new"));
}

TEST_P(TablePlanning, columns_widen) {
  ASSERT_OK(first_load(schema_of("id int64, n int64, d date, f bool, m decimal(5,2), keep text", {"id"}),
                       {{"1", "5", "2024-01-05", "1", "1.5", "k"}, {"2", {}, {}, {}, {}, {}}}));
  execute("alter table country add column theirs text default 'mine'");
  const Schema wider =
      schema_of("id int64, n decimal(10,2), d timestamp, f text, m decimal(40,10)+, keep text", {"id"});
  const auto table_plan = test::must(plan(wider));
  EXPECT_TRUE(table_plan.fingerprints_stale);
  EXPECT_THAT(table_plan.schema_changes,
              ElementsAre("widened column n of country from int64 to decimal",
                          "widened column d of country from date to timestamp",
                          "widened column f of country from bool to text",
                          "column m of country is kept as text from now on: it has a "
                          "number of more digits than SQLite's numbers hold"));
  // The old table reads like the new one already, the spelling of bool included: widening alone updates no
  // row.
  EXPECT_THAT(read_back(wider), testing::UnorderedElementsAre("1|5|2024-01-05T00:00:00Z|true|1.5|k",
                                                              "2|NULL|NULL|NULL|NULL|NULL"));
  ASSERT_OK(run(wider, {}));
  EXPECT_THAT(read_back(wider), testing::UnorderedElementsAre("1|5|2024-01-05T00:00:00Z|true|1.5|k",
                                                              "2|NULL|NULL|NULL|NULL|NULL"));
  EXPECT_THAT(select("select distinct theirs from country"), ElementsAre("mine"));
}

TEST_P(TablePlanning, a_longer_precision_alone_changes_nothing) {
  ASSERT_OK(first_load(schema_of("id int64, m decimal(5,2)", {"id"}), {{"1", "1.5"}}));
  const auto table_plan = test::must(plan(schema_of("id int64, m decimal(38,10)", {"id"})));
  EXPECT_THAT(table_plan.ddl, IsEmpty());
  EXPECT_FALSE(table_plan.fingerprints_stale);
}

TEST_P(TablePlanning, numbers_become_text_with_all_their_digits) {
  ASSERT_OK(first_load(
      schema_of("id int64, i int64, d decimal, w decimal+, r double", {"id"}),
      {{"1", "9223372036854775807", "0.30000000000000004", "0.12345678901234567890123", "0.1234567890123456"},
       {"2", "-1", "100000000000000000000", "-5", "1.5e-60"},
       {"3", "0", "0.00001", "0", "1e300"}}));
  const Schema wider = schema_of("id int64, i text, d text, w text, r text", {"id"});
  const std::vector<std::string> wanted = {
      "1|9223372036854775807|0.30000000000000004|0.12345678901234567890123|0.1234567890123456",
      "2|-1|100000000000000000000|-5|1.5e-60", "3|0|0.00001|0|1e300"};
  EXPECT_EQ(read_back(wider), wanted) << "before, as the comparison reads them";
  ASSERT_OK(run(wider, {}));
  EXPECT_EQ(read_back(wider), wanted);
  EXPECT_THAT(select("select distinct typeof(i) || typeof(d) || typeof(w) || typeof(r) from country"),
              ElementsAre("texttexttexttext"));
}

TEST_P(TablePlanning, a_decimal_column_becomes_text_with_all_its_digits) {
  ASSERT_OK(first_load(schema_of("id int64, d decimal(38,18)", {"id"}),
                       {{"1", "9223372036854775807"}, {"2", "0.30000000000000004"}, {"3", {}}}));
  const Schema wider = schema_of("id int64, d decimal(38,18)+", {"id"});
  EXPECT_FALSE(test::must(plan(wider)).fingerprints_stale) << "the values are the same";
  ASSERT_OK(run(wider, {{ChangeOp::update, {"3", "0.1234567890123456789"}}}));
  EXPECT_THAT(select("select d from country order by id"),
              ElementsAre("9223372036854775807", "0.30000000000000004", "0.1234567890123456789"));
  EXPECT_THAT(test::must(look()).mismatch, IsEmpty());
  EXPECT_TRUE(test::must(look()).state->schema->columns[1].wide) << "it is remembered";
}

TEST_P(TablePlanning, nothing_widens_where_a_stored_value_could_be_rounded) {
  const auto widens = [](const std::string& from, const std::string& to, bool key = false) {
    return can_widen(schema_of("x " + from, {}).columns[0], schema_of("x " + to, {}).columns[0], key);
  };
  EXPECT_TRUE(widens("int64", "decimal(20,2)"));
  EXPECT_TRUE(widens("int64", "text"));
  EXPECT_FALSE(widens("int64", "double"));
  EXPECT_TRUE(widens("decimal(15,15)", "double"));
  EXPECT_FALSE(widens("decimal(16,2)", "double"));
  EXPECT_FALSE(widens("decimal", "double"));
  EXPECT_FALSE(widens("decimal(15,2)+", "double"));
  EXPECT_FALSE(widens("decimal(5,2)", "int64"));
  EXPECT_FALSE(widens("double", "decimal"));
  EXPECT_TRUE(widens("double", "text"));
  EXPECT_TRUE(widens("date", "timestamp"));
  EXPECT_TRUE(widens("timestamp", "text"));
  EXPECT_FALSE(widens("timestamp", "date"));
  // A key has to be found again.
  EXPECT_TRUE(widens("int64", "text", true));
  EXPECT_TRUE(widens("date", "text", true));
  EXPECT_TRUE(widens("date", "timestamp", true));
  for (const auto* type : {"timestamp", "bool", "decimal(5,2)", "double", "json"})
    EXPECT_FALSE(widens(type, "text", true)) << type;
}

TEST_P(TablePlanning, a_key_column_widens) {
  ASSERT_OK(
      first_load(schema_of("id int64, v text", {"id"}), {{"1", "a"}, {"20", "b"}}, {.soft_delete = true}));
  const Schema wider = schema_of("id text, v text", {"id"});
  ASSERT_OK(plan(wider));
  ASSERT_OK(run(wider, {}));
  EXPECT_THAT(read_back(wider), testing::UnorderedElementsAre("1|a|NULL", "20|b|NULL"));
  EXPECT_THAT(test::must(look()).mismatch, IsEmpty());
}

TEST_P(TablePlanning, a_key_column_does_not_widen_over_things_of_others) {
  ASSERT_OK(first_load(schema_of("id int64, v text", {"id"}), {{"1", "a"}}));
  execute("create index theirs on country (v)");
  expect_refused(schema_of("id text, v text", {"id"}), "theirs");
}

TEST_P(TablePlanning, what_would_lose_values_is_refused) {
  ASSERT_OK(first_load(schema_of("id int64, v text, at timestamp", {"id"}), {{"1", "a", {}}}));
  expect_refused(schema_of("id int64, v int64, at timestamp", {"id"}), "cannot become int64");
  expect_refused(schema_of("id int64, v text, at date", {"id"}), "cannot become date");
  expect_refused(schema_of("id int64, v text, at timestamp", {"v"}), "key");
  expect_refused(schema_of("id int64, v text, V text", {"id"}), "one to the database");
}

TEST_P(TablePlanning, an_existing_table_is_taken_over_when_it_fits) {
  execute("create table country (code varchar(2), name varchar(80), theirs integer default 5)");
  execute("insert into country (code, name) values ('DE', 'Germany')");
  const Schema wanted = schema_of("code text, name text, area int64", {"code"});
  const auto found = test::must(look());
  EXPECT_TRUE(found.compare_by_columns());
  EXPECT_THAT(found.mismatch, IsEmpty());
  const auto table_plan = test::must(plan(wanted));
  EXPECT_THAT(table_plan.schema_changes,
              ElementsAre("added column area int64 to country", "added a unique index on country (code)"));
  EXPECT_THAT(read_back(wanted), ElementsAre("DE|Germany|NULL"));
}

TEST_P(TablePlanning, a_unique_index_finds_a_name_that_is_free) {
  execute("create table country (code text); create table country_key (x int)");
  execute("create index country_key_2 on country_key (x)");
  EXPECT_THAT(test::must(plan(schema_of("code text", {"code"}))).ddl,
              ElementsAre(HasSubstr("\"country_key_3\"")));
  ASSERT_OK(first_load(schema_of("code text", {"code"}), {{"DE"}}));
  table_ = "country_key_2";
  const auto index = look();
  ASSERT_FALSE(index.has_value());
  EXPECT_THAT(index.error().message, HasSubstr("is an index"));
}

TEST_P(TablePlanning, what_the_database_cannot_hold_is_told_before_it_is_tried) {
  const auto numbered = [](std::size_t count) {
    Schema schema = schema_of("id int64", {"id"});
    for (std::size_t i = 1; i < count; ++i)
      schema.columns.push_back({.name = "c" + std::to_string(i), .from = "c" + std::to_string(i)});
    return schema;
  };
  const auto many = plan(numbered(2500));
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().code, ErrorCode::too_large);
  EXPECT_THAT(many.error().message, HasSubstr("2,500 columns"));
  EXPECT_THAT(many.error().message, HasSubstr("2,000"));
  EXPECT_FALSE(plan(numbered(2000), {.soft_delete = true}).has_value()) << "the mark is a column too";
  ASSERT_OK(first_load(numbered(2000), {}));
  EXPECT_FALSE(plan(schema_of("id int64, one_more text", {"id"})).has_value()) << "those of others count";
}

TEST_P(TablePlanning, names_that_are_our_own_are_refused_with_the_mapping_to_write) {
  expect_refused(schema_of("id int64, _Sluice_note text", {"id"}),
                 "columns: {NAME: {from: \"_Sluice_note\"}}");
  Schema nul = schema_of("id int64, x text", {"id"});
  nul.columns[1].name = nul.columns[1].from = std::string("a\0b", 3);
  expect_refused(nul, "NUL");
  // The names of SQLite's row number are names like any other.
  ASSERT_OK(first_load(schema_of("rowid text, oid int64, _rowid_ text", {"rowid"}), {{"a", "1", "b"}}));
  EXPECT_THAT(read_back(schema_of("rowid text, oid int64, _rowid_ text", {"rowid"})), ElementsAre("a|1|b"));
}

TEST_P(TablePlanning, an_existing_table_that_would_alter_values_is_refused) {
  execute("create table country (code integer, name text); insert into country values (1, 'a')");
  expect_refused(schema_of("code text, name text", {"code"}), "cannot hold text values");
  expect_refused(schema_of("iso text, name text", {"iso"}), "no column iso");
}

TEST_P(TablePlanning, an_existing_table_with_double_keys_is_refused_and_left_alone) {
  execute("create table country (code text, name text); insert into country values ('a', '1'), ('a', '2')");
  const auto begun = begin(schema_of("code text, name text", {"code"}));
  ASSERT_FALSE(begun.has_value());
  EXPECT_EQ(begun.error().code, ErrorCode::conflict);
  EXPECT_THAT(select("select count(*) from country"), ElementsAre("2"));
  EXPECT_FALSE(connection_->in_transaction());
}

struct HandEdit {
  const char* sql;
  const char* mismatch;
  bool noticed_cheaply;
};

TEST_P(TablePlanning, tables_changed_by_hand_are_noticed) {
  const Schema wanted = schema_of("id int64, v text", {"id"});
  for (const HandEdit& edit :
       {HandEdit{"drop table country", "was dropped by hand", true},
        HandEdit{"delete from country", "emptied by hand: it had 3 rows", true},
        HandEdit{"delete from country where id = 2", "it has 2 rows, the last run left 3", false},
        HandEdit{"insert into country values (9, 'x')", "it has 4 rows, the last run left 3", false},
        HandEdit{"alter table country drop column v", "column v of table country was dropped by hand", true},
        HandEdit{"drop table country; create table country (id integer, v integer); insert into country "
                 "values (1, 2)",
                 "was given the type", true},
        HandEdit{"delete from _sluice_fingerprint", "3 of the 3 fingerprints", false},
        HandEdit{"drop table _sluice_fingerprint", "3 of the 3 fingerprints", false},
        HandEdit{"drop table country; create table country (id integer, v text); insert into country "
                 "values (1, 'a'), (2, 'b'), (3, 'c')",
                 "the unique index of table country on (id) was dropped", true},
        HandEdit{"drop table country; create table country (x text)", "column id", true}}) {
    execute(
        "drop table if exists country; drop table if exists _sluice_table; drop table if exists "
        "_sluice_fingerprint; drop table if exists _sluice_migration");
    ASSERT_OK(first_load(wanted, {{"1", "a"}, {"2", "b"}, {"3", "c"}}));
    EXPECT_THAT(test::must(look()).mismatch, IsEmpty());
    execute(edit.sql);
    EXPECT_THAT(test::must(look()).mismatch, HasSubstr(edit.mismatch)) << edit.sql;
    EXPECT_EQ(test::must(look(false)).mismatch.empty(), !edit.noticed_cheaply) << edit.sql;
  }
}

TEST_P(TablePlanning, a_table_given_other_columns_by_hand_is_repaired) {
  const Schema wanted = schema_of("id int64, v text, w text", {"id"});
  ASSERT_OK(first_load(wanted, {{"1", "007", "x"}}));
  execute(
      "drop table country; create table country (id integer, v integer); insert into country values (1, 7)");
  const auto table_plan = test::must(plan(wanted));
  EXPECT_THAT(table_plan.schema_changes,
              ElementsAre("gave column v of country its type back", "added column w text to country",
                          "added a unique index on country (id)"));
}

TEST_P(TablePlanning, a_full_check_is_due_hourly) {
  const Timestamp now(std::chrono::seconds(1'000'000'000));
  EXPECT_TRUE(full_check_due(std::nullopt, now));
  ASSERT_OK(first_load(schema_of("id int64", {"id"}), {{"1"}}));
  auto found = test::must(look(false));
  EXPECT_FALSE(full_check_due(found.state, now));
  EXPECT_FALSE(full_check_due(found.state, now + std::chrono::minutes(59)));
  EXPECT_TRUE(full_check_due(found.state, now + std::chrono::hours(1)));
  EXPECT_TRUE(full_check_due(found.state, now - std::chrono::hours(1))) << "the clock was set back";
  EXPECT_TRUE(
      test::must(note_checked(*connection_, table_, found.generation(), now + std::chrono::hours(1))));
  EXPECT_FALSE(test::must(note_checked(*connection_, table_, found.generation() + 1, now)));
  found = test::must(look(false));
  EXPECT_FALSE(full_check_due(found.state, now + std::chrono::hours(1)));
}

TEST_P(TablePlanning, a_database_that_was_never_written_reads_as_empty) {
  const auto reader = database_->connect({.read_only = true});
  EXPECT_FALSE(test::must(inspect(*reader, "country", "Loader", true)).exists);
  EXPECT_THAT(test::must(table_states(*reader)), IsEmpty());
  EXPECT_THAT(test::must(StoredFingerprints::open(*reader, "country"))->directory(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Databases, TablePlanning, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::upsert
