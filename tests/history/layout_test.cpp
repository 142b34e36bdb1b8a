// The history tables of an earlier program are brought up to date; what somebody dropped is made anew.
#include "history/query.h"
#include "history/record.h"
#include "history/reject_writer.h"
#include "history/source_state.h"
#include "sql/test_database.h"

#include <gmock/gmock.h>

namespace sluice::history {
namespace {

using test::cell_of;
using test::must;
using test::rows_of;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// As the first version wrote them.
constexpr std::string_view kFirstVersion = R"sql(
create table _sluice_migration (component text primary key not null, version integer not null);
insert into _sluice_migration values ('history', 1);
create table _sluice_run (
  job integer primary key not null, loader text not null, attempt integer not null, state text not null,
  applied integer not null, started_at integer not null, finished_at integer not null,
  catalog_hash text not null, receipt text not null);
create index _sluice_run_loader on _sluice_run (loader, job);
create table _sluice_change (
  job integer not null, seq integer not null, op text not null, key text not null, cells text not null,
  primary key (job, seq)) without rowid;
create table _sluice_reject (
  id integer primary key not null, loader text not null, source text not null, hash blob not null,
  stage text not null, code text not null, column_name text not null, message text not null,
  locator text not null, raw text not null, first_job integer not null, last_job integer not null,
  first_seen integer not null, last_seen integer not null, seen integer not null, status text not null,
  unique (loader, hash));
create index _sluice_reject_last on _sluice_reject (loader, last_seen);
create table _sluice_source (
  loader text not null, source text not null, etag text not null, last_modified text not null,
  body_hash text not null, length integer not null, file_identity text not null, config_hash text not null,
  generation integer not null, seen_at integer not null, primary key (loader, source)) without rowid;
create table _sluice_store (identity text primary key not null, number integer not null unique) without rowid;
insert into _sluice_run values
  (7, 'Country', 1, 'succeeded', 1, 10, 30, 'h', ''),
  (8, 'Country', 1, 'succeeded', 1, 40, 50, 'h', ''),
  (1099511627777, 'Country', 1, 'succeeded', 1, 10, 20, 'h', '');
insert into _sluice_change values (7, 1, 'insert', '{}', ''), (7, 2, 'insert', '{}', '');
insert into _sluice_reject values
  (1, 'Country', '0', x'00', 'type', 'c', '', 'm', 'l', 'r', 7, 8, 30, 50, 2, 'open');
insert into _sluice_source values ('Country', '0', '', '', '', 0, '[{"etag":"x"}]', 'hash', 5, 50);
insert into _sluice_store values ('abc', 0);
)sql";

class Layout : public test::OnEveryDatabase {
 protected:
  void load_first_version() {
    must(connection_->execute(kFirstVersion));
    auto update = must(connection_->prepare("update _sluice_run set receipt = ?"));
    const std::string json = to_json(Receipt{});
    update->bind_text(1, json);
    ASSERT_OK(update->run());
  }
  std::vector<std::int64_t> jobs() {
    std::vector<std::int64_t> found;
    for (const auto& one : must(runs(*connection_, {}))) found.push_back(one.job.value());
    return found;
  }
};

TEST_P(Layout, the_first_version_is_brought_up_to_date) {
  load_first_version();
  EXPECT_THAT(must(runs(*connection_, {})), IsEmpty()) << "readers wait for the next run";
  ASSERT_OK(prepare_history(*connection_));
  EXPECT_THAT(jobs(), ElementsAre(8, 7, 1099511627777)) << "by the end of each run";
  const auto state = must(source_state(*connection_, "Country", "0"));
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->validators, R"([{"etag":"x"}])");
  EXPECT_EQ(state->config_hash, "hash");
  EXPECT_EQ(state->generation, 5);
  EXPECT_EQ(state->table, "");
  EXPECT_THAT(rows_of(*connection_, "select job, changes_logged, changes_kept from _sluice_run order by job"),
              ElementsAre("7|2|2", "8|0|0", "1099511627777|0|0"));
  EXPECT_THAT(must(rejects(*connection_, {.job = JobId(8)})), SizeIs(1));
  EXPECT_THAT(must(rejects(*connection_, {.job = JobId(1099511627777)})), IsEmpty());
  EXPECT_THAT(must(changes(*connection_, JobId(7), 0, 9)), SizeIs(2));
  EXPECT_EQ(cell_of(*connection_, "select version from _sluice_migration where component = 'history'"), "2");
  ASSERT_OK(prepare_history(*connection_));
  EXPECT_THAT(jobs(), SizeIs(3));
}

TEST_P(Layout, an_upgrade_survives_a_lost_count_and_a_lost_table) {
  load_first_version();
  must(connection_->execute("drop table _sluice_migration; drop table _sluice_reject"));
  ASSERT_OK(prepare_history(*connection_));
  EXPECT_THAT(jobs(), SizeIs(3));
  EXPECT_THAT(must(rejects(*connection_, {})), IsEmpty());
}

TEST_P(Layout, a_lost_count_loses_nothing) {
  ASSERT_OK(prepare_history(*connection_));
  Receipt receipt;
  receipt.loader = "Country";
  ASSERT_OK(insert_run(*connection_, receipt, JobId(1), Timestamp{}));
  must(connection_->execute("drop table _sluice_migration"));
  ASSERT_OK(prepare_history(*connection_));
  EXPECT_THAT(jobs(), ElementsAre(1));
  must(connection_->execute("delete from _sluice_migration"));
  ASSERT_OK(prepare_history(*connection_));
  EXPECT_THAT(jobs(), ElementsAre(1));
}

TEST_P(Layout, each_table_that_somebody_dropped_comes_back) {
  for (const std::string table : {"_sluice_run", "_sluice_change", "_sluice_reject", "_sluice_reject_span",
                                  "_sluice_source", "_sluice_store"}) {
    SCOPED_TRACE(table);
    ASSERT_OK(prepare_history(*connection_));
    must(connection_->execute("drop table " + table));
    EXPECT_TRUE(runs(*connection_, {}).has_value()) << "readers see nothing, and say nothing";
    EXPECT_TRUE(changes(*connection_, JobId(1), 0, 9).has_value());
    EXPECT_TRUE(rejects(*connection_, {.job = JobId(1)}).has_value());
    EXPECT_TRUE(open_rejects(*connection_, "Country").has_value());
    EXPECT_TRUE(source_state(*connection_, "Country", "0").has_value());
    ASSERT_OK(prepare_history(*connection_));
    RejectWriter writer(*connection_, JobId(1), "Country", {}, Timestamp{});
    ASSERT_OK(writer.add({}, "0"));
    Receipt receipt;
    receipt.loader = "Country";
    ASSERT_OK(insert_run(*connection_, receipt, JobId(1), Timestamp{}));
    ASSERT_OK(save_source_state(*connection_, "Country", "0", {}));
  }
}

TEST_P(Layout, changes_of_nobody_go_with_the_lost_runs) {
  load_first_version();
  ASSERT_OK(prepare_history(*connection_));
  must(connection_->execute("drop table _sluice_run"));
  ASSERT_OK(prepare_history(*connection_));
  EXPECT_EQ(cell_of(*connection_, "select count(*) from _sluice_change"), "0");
}

INSTANTIATE_TEST_SUITE_P(Databases, Layout, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::history
