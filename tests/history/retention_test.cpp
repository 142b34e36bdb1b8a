// What the record forgets, how fast, and what it never forgets.
#include "history/retention.h"

#include "history/change_writer.h"
#include "history/query.h"
#include "history/record.h"
#include "history/reject_writer.h"
#include "history/run_key.h"
#include "sql/test_database.h"

#include <gmock/gmock.h>

namespace sluice::history {
namespace {

using std::chrono::hours;
using test::cell_of;
using test::must;
using testing::ElementsAre;
using testing::SizeIs;

constexpr Timestamp kNow{std::chrono::seconds(1'000'000'000)};

class Keeping : public test::OnEveryDatabase {
 protected:
  void SetUp() override { must(prepare_history(*connection_)); }
  // One applied run that logged so many changes.
  void record(std::int64_t job, Timestamp at, std::int64_t changes = 0,
              const std::string& loader = "Country") {
    Receipt receipt;
    receipt.loader = loader;
    receipt.applied = true;
    for (std::int64_t seq = 1; seq <= changes; ++seq) {
      ASSERT_OK(connection_->execute("insert into _sluice_change values (" + std::to_string(job) + ", " +
                                     std::to_string(seq) + ", 'insert', '{}', '[]')"));
    }
    ASSERT_OK(insert_run(*connection_, receipt, JobId(job), at, changes));
  }
  void trim(Timestamp now, const Retention& retention, std::int64_t written = 0) {
    ASSERT_OK(trim_runs(*connection_, "Country", written, now, retention));
  }
  std::vector<std::int64_t> jobs() {
    std::vector<std::int64_t> found;
    for (const auto& one : must(runs(*connection_, {.limit = 100'000}))) found.push_back(one.job.value());
    return found;
  }
  std::string changes_left() { return cell_of(*connection_, "select count(*) from _sluice_change"); }
  // The columns that say how many changes there are always say the truth.
  void expect_counted() {
    EXPECT_EQ(cell_of(*connection_,
                      "select count(*) from _sluice_run r where changes_kept <> "
                      "(select count(*) from _sluice_change c where c.job = r.job)"),
              "0");
  }
};

TEST_P(Keeping, records_past_their_time_go_but_never_the_newest) {
  for (int job = 1; job <= 6; ++job) record(job, kNow + hours(job));
  record(7, kNow, 0, "Other");
  trim(kNow + hours(100), {.runs = hours(1), .newest_runs = 2});
  EXPECT_THAT(jobs(), ElementsAre(7, 6, 5));
  trim(kNow + hours(100), {.runs = hours(1), .newest_runs = 2});
  EXPECT_THAT(jobs(), ElementsAre(7, 6, 5));
}

TEST_P(Keeping, nothing_goes_before_its_time) {
  for (int job = 1; job <= 200; ++job) record(job, kNow, 1);
  trim(kNow + hours(29 * 24), {});
  EXPECT_THAT(jobs(), SizeIs(200));
  EXPECT_EQ(changes_left(), "200");
}

TEST_P(Keeping, of_too_many_records_the_oldest_go_a_batch_at_a_time) {
  for (int job = 1; job <= 20; ++job) record(job, kNow);
  const Retention retention{.newest_runs = 2, .most_runs = 10, .batch_runs = 4};
  trim(kNow, retention);
  EXPECT_THAT(jobs(), SizeIs(16));
  for (int i = 0; i < 5; ++i) trim(kNow, retention);
  EXPECT_THAT(jobs(), SizeIs(10));
  EXPECT_EQ(jobs().back(), 11);
}

TEST_P(Keeping, the_newest_record_of_a_job_store_outlives_its_time) {
  const auto other = (std::int64_t{3} << kStoreShift) | 5;
  record(other - 1, kNow);
  record(other, kNow);
  for (int job = 1; job <= 4; ++job) record(job, kNow + hours(1));
  trim(kNow + hours(1000), {.runs = hours(24), .newest_runs = 2});
  EXPECT_THAT(jobs(), ElementsAre(4, 3, other)) << "its job may have been cut off before its store knew";
  trim(kNow + hours(366 * 24), {.runs = hours(24), .newest_runs = 2});
  EXPECT_THAT(jobs(), ElementsAre(4, 3));
}

TEST_P(Keeping, changes_past_their_time_go_but_those_that_undo_needs_stay) {
  for (int job = 1; job <= 5; ++job) record(job, kNow, 3);
  for (int job = 6; job <= 9; ++job) record(job, kNow);
  trim(kNow + hours(31 * 24), {.runs_with_changes = 2});
  EXPECT_EQ(changes_left(), "6");
  EXPECT_THAT(must(changes(*connection_, JobId(5), 0, 10)), SizeIs(3));
  EXPECT_THAT(must(changes(*connection_, JobId(4), 0, 10)), SizeIs(3));
  EXPECT_THAT(jobs(), SizeIs(9)) << "the receipts stay";
  EXPECT_EQ(cell_of(*connection_, "select changes_logged from _sluice_run where job = 1"), "3");
  expect_counted();
}

TEST_P(Keeping, of_too_many_changes_the_oldest_go) {
  for (int job = 1; job <= 6; ++job) record(job, kNow, 10);
  trim(kNow, {.runs_with_changes = 1, .most_changes = 25});
  EXPECT_EQ(changes_left(), "20") << "whole runs, until it is enough";
  expect_counted();
}

TEST_P(Keeping, a_clean_up_is_a_batch_and_keeps_up_with_what_is_written) {
  record(1, kNow, 100);
  for (int job = 2; job <= 4; ++job) record(job, kNow, 10);
  const Retention retention{.runs_with_changes = 1, .batch_changes = 30};
  const auto late = kNow + hours(31 * 24);
  trim(late, retention);
  EXPECT_EQ(changes_left(), "100");
  expect_counted();
  trim(late, retention, 25);
  EXPECT_EQ(changes_left(), "50");
  expect_counted();
  for (int i = 0; i < 5; ++i) trim(late, retention);
  EXPECT_EQ(changes_left(), "10");
  expect_counted();
}

TEST_P(Keeping, a_record_never_goes_before_its_changes) {
  record(1, kNow, 100);
  for (int job = 2; job <= 4; ++job) record(job, kNow, 1);
  const Retention retention{.runs = hours(1), .newest_runs = 1, .runs_with_changes = 1, .batch_changes = 40};
  trim(kNow + hours(31 * 24), retention);
  EXPECT_THAT(jobs(), testing::Contains(1));
  for (int i = 0; i < 4; ++i) trim(kNow + hours(31 * 24), retention);
  EXPECT_THAT(jobs(), ElementsAre(4));
  EXPECT_EQ(changes_left(), "1");
}

TEST_P(Keeping, a_clean_up_that_is_rolled_back_removes_nothing) {
  for (int job = 1; job <= 5; ++job) record(job, kNow, 3);
  ASSERT_OK(connection_->execute("begin"));
  trim(kNow + hours(500 * 24), {.newest_runs = 1, .runs_with_changes = 1});
  ASSERT_OK(connection_->execute("rollback"));
  EXPECT_THAT(jobs(), SizeIs(5));
  EXPECT_EQ(changes_left(), "15");
}

TEST_P(Keeping, of_too_many_rejects_those_seen_longest_ago_go) {
  for (int i = 1; i <= 10; ++i) {
    RejectWriter writer(*connection_, JobId(i), "Country", {}, kNow + hours(i));
    Reject reject;
    reject.raw = std::to_string(i);
    ASSERT_OK(writer.add(reject, "0"));
    ASSERT_OK(writer.finish(false));
    record(i, kNow);
  }
  const Retention retention{.most_rejects = 4, .batch_rejects = 3};
  ASSERT_OK(trim_rejects(*connection_, "Country", kNow, retention));
  EXPECT_THAT(must(rejects(*connection_, {})), SizeIs(7));
  ASSERT_OK(trim_rejects(*connection_, "Country", kNow, retention));
  ASSERT_OK(trim_rejects(*connection_, "Country", kNow, retention));
  const auto left = must(rejects(*connection_, {}));
  ASSERT_THAT(left, SizeIs(4));
  EXPECT_EQ(left[0].raw, "7");
  EXPECT_EQ(cell_of(*connection_, "select count(*) from _sluice_reject_span"), "4");
}

INSTANTIATE_TEST_SUITE_P(Databases, Keeping, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::history
