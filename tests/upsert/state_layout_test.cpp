// Sluice's own tables beside the data: brought up to date, made anew when somebody dropped them, moved.
#include "upsert/table_fixture.h"

#include <gmock/gmock.h>

namespace sluice::upsert {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class StateLayout : public TargetTable {
 protected:
  const Schema wanted_ = schema_of("id int64, v text", {"id"});
};

TEST_P(StateLayout, the_first_version_is_brought_up_to_date) {
  ASSERT_OK(first_load(wanted_, {{"1", "a"}, {"2", "b"}}));
  execute(
      "drop index _sluice_table_loader; alter table _sluice_table drop column fingerprints; "
      "alter table _sluice_table drop column foreign_rows; update _sluice_migration set version = 1");
  EXPECT_FALSE(test::must(look()).state.has_value()) << "readers wait for the next run";
  ASSERT_OK(prepare_state(*connection_));
  const auto found = test::must(look());
  ASSERT_TRUE(found.state.has_value());
  EXPECT_EQ(found.state->rows, 2);
  EXPECT_EQ(found.state->fingerprints, -1);
  EXPECT_THAT(found.mismatch, IsEmpty());
  EXPECT_THAT(stored_entries(), SizeIs(2));
  schema_ = found.state->schema;
  ASSERT_OK(run(wanted_, {}));
  EXPECT_EQ(test::must(look()).state->fingerprints, 2);
}

TEST_P(StateLayout, a_lost_count_of_versions_loses_nothing) {
  ASSERT_OK(first_load(wanted_, {{"1", "a"}}));
  execute("drop table _sluice_migration");
  ASSERT_OK(prepare_state(*connection_));
  EXPECT_EQ(test::must(look()).state->rows, 1);
  EXPECT_THAT(select("select version from _sluice_migration"), ElementsAre("2"));
}

TEST_P(StateLayout, each_table_that_somebody_dropped_comes_back) {
  for (const std::string table : {"_sluice_table", "_sluice_fingerprint"}) {
    SCOPED_TRACE(table);
    ASSERT_OK(first_load(wanted_, {{"1", "a"}}));
    execute("drop table " + table);
    EXPECT_TRUE(look().has_value()) << "readers do not mind";
    EXPECT_TRUE(table_states(*connection_).has_value());
    ASSERT_OK(prepare_state(*connection_));
    EXPECT_TRUE(test::must(look()).compare_by_columns());
    execute("delete from country");
  }
}

TEST_P(StateLayout, states_are_found_by_owner_renamed_and_forgotten) {
  ASSERT_OK(first_load(wanted_, {{"1", "a"}}));
  execute("alter table country rename to land");
  auto owned = test::must(tables_of(*connection_, "Loader"));
  ASSERT_THAT(owned, SizeIs(1));
  EXPECT_FALSE(owned[0].exists);
  ASSERT_OK(rename_state(*connection_, "COUNTRY", "land"));
  table_ = "land";
  const auto found = test::must(look());
  EXPECT_EQ(found.generation(), 1);
  EXPECT_THAT(found.mismatch, IsEmpty()) << "rows and fingerprints are there";
  EXPECT_TRUE(test::must(tables_of(*connection_, "Loader"))[0].exists);
  EXPECT_THAT(test::must(tables_of(*connection_, "Other")), IsEmpty());
  ASSERT_OK(forget_state(*connection_, "land"));
  EXPECT_THAT(test::must(tables_of(*connection_, "Loader")), IsEmpty());
  EXPECT_THAT(stored_entries(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Databases, StateLayout, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::upsert
