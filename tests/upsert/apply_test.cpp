// One run, one transaction.
#include "upsert/apply.h"

#include "upsert/table_fixture.h"

namespace sluice::upsert {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Applying : public TargetTable {
 protected:
  const Schema wanted_ = schema_of("id int64, v text, n int64", {"id"});
};

TEST_P(Applying, a_first_load_and_then_each_kind_of_change) {
  const auto first = test::must(first_load(wanted_, {{"1", "a", "1"}, {"2", "b", "2"}, {"3", "c", {}}}));
  EXPECT_EQ(first.generation, 1);
  EXPECT_EQ(first.rows_before, 0);
  EXPECT_EQ(first.rows_after, 3);
  const auto second = test::must(run(wanted_, {{ChangeOp::update, {"1", "A", "1"}},
                                               {ChangeOp::remove, {"2", {}, {}}},
                                               {ChangeOp::insert, {"4", "d", "4"}}}));
  EXPECT_EQ(second.generation, 2);
  EXPECT_EQ(second.rows_before, 3);
  EXPECT_EQ(second.rows_after, 3);
  EXPECT_THAT(read_back(wanted_), ElementsAre("1|A|1", "3|c|NULL", "4|d|4"));
  EXPECT_EQ(stored_entries().size(), 3u);
  EXPECT_EQ(test::must(look()).mismatch, "");
}

TEST_P(Applying, soft_deleted_rows_keep_their_values_and_come_back) {
  const Options soft{.soft_delete = true};
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}, {"2", "b", "2"}}, soft));
  const auto gone = test::must(run(wanted_, {{ChangeOp::remove, {"2", {}, {}}}}, soft));
  EXPECT_EQ(gone.rows_before, 2);
  EXPECT_EQ(gone.rows_after, 1);
  EXPECT_THAT(select("select * from country"), ElementsAre("1|a|1|NULL", "2|b|2|2001-09-09T01:46:40Z"));
  EXPECT_THAT(stored_entries()[1], testing::EndsWith(" 1"));
  EXPECT_EQ(test::must(look()).state->live(), 1);
  const auto back = test::must(run(wanted_, {{ChangeOp::restore, {"2", "B", "2"}}}, soft));
  EXPECT_EQ(back.rows_before, 1);
  EXPECT_EQ(back.rows_after, 2);
  EXPECT_THAT(select("select * from country"), ElementsAre("1|a|1|NULL", "2|B|2|NULL"));
  EXPECT_THAT(stored_entries()[1], testing::EndsWith(" 0"));
}

TEST_P(Applying, soft_delete_can_be_switched_on_and_off) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}, {"2", "b", "2"}, {"3", "c", "3"}}));
  ASSERT_OK(run(wanted_, {{ChangeOp::remove, {"1", {}, {}}}}, {.soft_delete = true}));
  ASSERT_OK(run(wanted_, {{ChangeOp::remove, {"2", {}, {}}}}));
  EXPECT_THAT(select("select id, _deleted_at is null from country"), ElementsAre("1|0", "3|1"));
  ASSERT_OK(run(wanted_, {{ChangeOp::restore, {"1", "a", "1"}}}));
  EXPECT_THAT(select("select id, _deleted_at is null from country"), ElementsAre("1|1", "3|1"));
}

TEST_P(Applying, columns_of_others_are_never_written) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}}));
  execute("alter table country add column theirs text; update country set theirs = 'kept'");
  ASSERT_OK(run(wanted_, {{ChangeOp::update, {"1", "b", "2"}}, {ChangeOp::insert, {"2", "c", "3"}}}));
  EXPECT_THAT(select("select id, v, theirs from country"), ElementsAre("1|b|kept", "2|c|NULL"));
}

TEST_P(Applying, composite_and_text_keys_find_their_row) {
  const Schema wanted = schema_of("country text, year int64, day date, v text", {"country", "year", "day"});
  ASSERT_OK(first_load(wanted, {{"DE", "2024", "2024-01-01", "a"}, {"DE", "2025", "2024-01-01", "b"}}));
  ASSERT_OK(run(wanted, {{ChangeOp::update, {"DE", "2025", "2024-01-01", "B"}},
                         {ChangeOp::remove, {"DE", "2024", "2024-01-01", {}}}}));
  EXPECT_THAT(read_back(wanted), ElementsAre("DE|2025|2024-01-01|B"));
}

TEST_P(Applying, a_table_of_nothing_but_key_columns_works) {
  const Schema wanted = schema_of("a int64, b text", {"a", "b"});
  ASSERT_OK(first_load(wanted, {{"1", "x"}, {"2", "y"}}, {.soft_delete = true}));
  ASSERT_OK(run(wanted, {{ChangeOp::remove, {"1", "x"}}}, {.soft_delete = true}));
  ASSERT_OK(
      run(wanted, {{ChangeOp::restore, {"1", "x"}}, {ChangeOp::update, {"2", "y"}}}, {.soft_delete = true}));
  EXPECT_THAT(select("select a, b, _deleted_at from country"), UnorderedElementsAre("1|x|NULL", "2|y|NULL"));
}

TEST_P(Applying, a_table_without_a_key_takes_rows) {
  const Schema wanted = schema_of("v text", {});
  ASSERT_OK(first_load(wanted, {{"a"}, {"a"}}));
  ASSERT_OK(first_load(wanted, {{"b"}}));
  EXPECT_THAT(select("select v from country order by v"), ElementsAre("a", "a", "b"));
  EXPECT_EQ(test::must(look()).mismatch, "");
}

TEST_P(Applying, a_later_record_of_the_same_key_overwrites_in_a_first_load) {
  auto apply = test::must(begin(wanted_));
  const RowBatch one = batch_of(schema_, {{"1", "a", "1"}, {"2", "b", "2"}, {"1", "c", "3"}});
  const RowBatch two = batch_of(schema_, {{"3", "d", "4"}, {"2", "e", "5"}});
  const std::vector<std::size_t> last = {1, 2};
  const std::vector<std::size_t> first = {0};
  const std::vector<std::size_t> second = {1};
  ASSERT_OK(apply->insert_rows(one, last, {}));
  ASSERT_OK(apply->insert_rows(two, first, second));
  EXPECT_EQ(test::must(apply->finish()).rows_after, 3);
  ASSERT_OK(apply->commit());
  EXPECT_THAT(read_back(wanted_), ElementsAre("1|c|3", "2|e|5", "3|d|4"));
}

TEST_P(Applying, clear_empties_rows_and_fingerprints) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}, {"2", "b", "2"}}));
  auto apply = test::must(begin(wanted_));
  ASSERT_OK(apply->clear());
  const RowBatch rows = batch_of(schema_, {{"7", "z", {}}});
  ASSERT_OK(apply->insert_all(rows));
  ASSERT_OK(write_fingerprints(*apply, rows));
  const auto outcome = test::must(apply->finish());
  EXPECT_EQ(outcome.rows_before, 2);
  EXPECT_EQ(outcome.rows_after, 1);
  ASSERT_OK(apply->commit());
  EXPECT_THAT(read_back(wanted_), ElementsAre("7|z|NULL"));
  EXPECT_EQ(stored_entries().size(), 1u);
}

TEST_P(Applying, a_run_that_compared_with_an_older_generation_is_refused) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}}));
  const auto seen = test::must(look());
  const auto table_plan = test::must(plan(wanted_));
  ASSERT_OK(run(wanted_, {{ChangeOp::insert, {"2", "b", "2"}}}));
  const auto late = Apply::begin(*connection_, seen, table_plan, {"Loader", "", 1, {}, decode_test_key});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::conflict);
  EXPECT_TRUE(late.error().retryable);
  EXPECT_FALSE(connection_->in_transaction());
}

TEST_P(Applying, two_first_loads_of_one_table_do_not_both_win) {
  const auto seen = test::must(look());
  const auto table_plan = test::must(plan(wanted_));
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}}));
  const auto late = Apply::begin(*connection_, seen, table_plan, {"Loader", "", 1, {}, decode_test_key});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::conflict);
}

TEST_P(Applying, rows_changed_by_hand_are_noticed_while_applying) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}, {"2", "b", "2"}}));
  execute("delete from country where id = 1; insert into country values (9, 'x', 1)");
  for (const Edit& edit : {Edit{ChangeOp::update, {"1", "b", "1"}}, Edit{ChangeOp::remove, {"1", {}, {}}},
                           Edit{ChangeOp::insert, {"9", "y", "1"}}}) {
    auto apply = test::must(begin(wanted_));
    ChangeSet changes = changes_of({edit});
    const auto applied = apply->apply(changes, nullptr, {});
    ASSERT_FALSE(applied.has_value());
    EXPECT_EQ(applied.error().code, ErrorCode::conflict);
    EXPECT_THAT(applied.error().message, HasSubstr("by hand"));
    EXPECT_TRUE(apply->table_was_changed());
  }
}

TEST_P(Applying, a_constraint_of_others_is_not_a_change_by_hand) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}}));
  execute("create unique index theirs on country (v)");
  auto apply = test::must(begin(wanted_));
  ChangeSet changes = changes_of({{ChangeOp::insert, {"2", "a", "1"}}});
  const auto applied = apply->apply(changes, nullptr, {});
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().code, ErrorCode::conflict);
  EXPECT_THAT(applied.error().describe(), HasSubstr("country.v"));
  EXPECT_FALSE(apply->table_was_changed());
}

TEST_P(Applying, a_run_that_is_dropped_leaves_everything_as_it_was) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}}));
  const auto entries = stored_entries();
  {
    auto apply = test::must(begin(schema_of("id int64, v text, n int64, more text", {"id"})));
    ChangeSet changes = changes_of({{ChangeOp::insert, {"2", "b", "2", "c"}}});
    ASSERT_OK(apply->apply(changes, nullptr, {}));
    ASSERT_OK(apply->merge_fingerprints(changes));
    ASSERT_OK(apply->finish());
  }
  EXPECT_THAT(select("select * from country"), ElementsAre("1|a|1"));
  EXPECT_EQ(stored_entries(), entries);
  EXPECT_EQ(test::must(look()).generation(), 1);
}

TEST_P(Applying, a_full_disk_in_the_middle_leaves_everything_as_it_was) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}, {"2", "b", "2"}}));
  const auto entries = stored_entries();
  connection_ = database_->connect({.max_page_count = 40});
  auto apply = test::must(begin(wanted_));
  std::vector<Edit> edits = {{ChangeOp::update, {"1", "changed", "1"}}, {ChangeOp::remove, {"2", {}, {}}}};
  for (int i = 10; i < 200; ++i)
    edits.push_back({ChangeOp::insert, {std::to_string(i), std::string(5000, 'x'), {}}});
  ChangeSet changes = changes_of(edits);
  const auto applied = apply->apply(changes, nullptr, {});
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().code, ErrorCode::io);
  EXPECT_THAT(applied.error().message, HasSubstr("full"));
  apply.reset();
  EXPECT_THAT(read_back(wanted_), ElementsAre("1|a|1", "2|b|2"));
  EXPECT_EQ(stored_entries(), entries);
  EXPECT_EQ(test::must(look()).mismatch, "");
  ASSERT_OK(run(wanted_, {{ChangeOp::update, {"1", "later", "1"}}}));
}

TEST_P(Applying, a_stop_request_ends_it) {
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}}));
  std::stop_source stop;
  stop.request_stop();
  auto apply = test::must(begin(wanted_));
  ChangeSet changes = changes_of({{ChangeOp::update, {"1", "b", "1"}}});
  const auto applied = apply->apply(changes, nullptr, stop.get_token());
  ASSERT_FALSE(applied.has_value());
  EXPECT_EQ(applied.error().code, ErrorCode::cancelled);
  apply.reset();
  EXPECT_THAT(read_back(wanted_), ElementsAre("1|a|1"));
}

TEST_P(Applying, a_run_after_compare_by_columns_writes_all_fingerprints_anew) {
  execute("create table country (id integer primary key, v text, n integer)");
  execute("insert into country values (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
  auto apply = test::must(begin(wanted_, {.full = false}));
  class Rows final : public FingerprintReader {
   public:
    explicit Rows(const RowBatch& batch) {
      FingerprintChunkBuilder builder;
      for (std::size_t i = 0; i < batch.rows(); ++i)
        builder.add(key_of(batch, i), fingerprint_of(batch, i), 0);
      directory_.push_back({key_of(batch, 0), 3});
      bytes_ = builder.finish();
    }
    const std::vector<ChunkInfo>& directory() const override { return directory_; }
    Result<std::string> load(std::size_t) override { return bytes_; }

   private:
    std::vector<ChunkInfo> directory_;
    std::string bytes_;
  };
  Rows base(batch_of(schema_, {{"1", "a", "1"}, {"2", "b", "2"}, {"3", "c", "3"}}));
  ChangeSet changes = changes_of({{ChangeOp::update, {"2", "B", "2"}}, {ChangeOp::remove, {"3", {}, {}}}});
  ASSERT_OK(apply->apply(changes, nullptr, {}));
  ASSERT_OK(apply->rebase_fingerprints(base, changes));
  const auto outcome = test::must(apply->finish());
  EXPECT_EQ(outcome.rows_before, 3);
  EXPECT_EQ(outcome.rows_after, 2);
  ASSERT_OK(apply->commit());
  EXPECT_EQ(stored_entries().size(), 2u);
  const auto found = test::must(look());
  EXPECT_EQ(found.mismatch, "");
  EXPECT_FALSE(found.compare_by_columns());
}

class Recorder final : public ApplyObserver {
 public:
  bool wants_before() const override { return true; }
  Result<void> applied(const AppliedChange& change) override {
    std::string line(to_string(change.op));
    line += " " + cell_text(change.key->columns()[0], change.key_row);
    if (change.before != nullptr) line += " from " + row_text(*change.before, change.before_row);
    if (change.after != nullptr) line += " to " + row_text(*change.after, change.after_row);
    for (const std::size_t column : change.changed) line += " ~" + change.key->schema().columns[column].name;
    lines.push_back(line);
    return {};
  }
  std::vector<std::string> lines;
};

TEST_P(Applying, the_observer_sees_before_and_after) {
  const Options soft{.soft_delete = true};
  ASSERT_OK(first_load(wanted_, {{"1", "a", "1"}, {"2", "b", {}}}, soft));
  Recorder recorder;
  ASSERT_OK(run(wanted_,
                {{ChangeOp::update, {"1", "A", {}}},
                 {ChangeOp::insert, {"3", "c", "3"}},
                 {ChangeOp::remove, {"2", {}, {}}}},
                soft, &recorder));
  ASSERT_OK(run(wanted_, {{ChangeOp::restore, {"2", "b", "5"}}}, soft, &recorder));
  EXPECT_THAT(recorder.lines, ElementsAre("delete 2 from 2|b|NULL", "update 1 from 1|a|1 to 1|A|NULL ~v ~n",
                                          "insert 3 to 3|c|3", "restore 2 from 2|b|NULL to 2|b|5 ~n"));
}

TEST_P(Applying, a_row_may_take_over_the_unique_value_of_a_removed_one) {
  ASSERT_OK(first_load(wanted_, {{"2", "y", {}}}));
  execute("create unique index theirs on country (v)");
  ASSERT_OK(run(wanted_, {{ChangeOp::insert, {"3", "y", {}}}, {ChangeOp::remove, {"2", {}, {}}}}));
  EXPECT_THAT(select("select id from country"), ElementsAre("3"));
}

INSTANTIATE_TEST_SUITE_P(Databases, Applying, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::upsert
