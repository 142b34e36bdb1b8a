// Writes of several threads share one transaction, and nothing else.
#include "jobs/sqlite/group_commit.h"

#include "jobs/scratch.h"
#include "sql/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace sluice::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class GroupCommitTest : public testing::Test {
 protected:
  GroupCommitTest() {
    EXPECT_TRUE(database_.connection().execute(
        "create table t (v integer unique, parent integer references t (v) deferrable initially deferred)"));
  }
  static Result<void> add(Database& database, int value, std::string_view how = "insert") {
    SLUICE_CHECK(database.run(std::string(how) + " into t (v) values (?)", value));
    return {};
  }
  // What another connection sees.
  std::vector<int> seen() {
    std::vector<int> values;
    EXPECT_TRUE(beside_.each("select v from t order by v", [&](const Row& row) -> Result<void> {
      values.push_back(static_cast<int>(row.integer(0)));
      return {};
    }));
    return values;
  }
  // Lets the works come while another one writes, in this order, and returns what became of them.
  std::vector<Result<void>> come_together(const std::vector<GroupCommit::Work>& works) {
    std::vector<Result<void>> outcomes(works.size());
    std::vector<std::jthread> threads;
    EXPECT_TRUE(group_.write(
        [&](Database&) -> Result<void> {
          for (std::size_t i = 0; i < works.size(); ++i) {
            threads.emplace_back([&, i] { outcomes[i] = group_.write(works[i], true); });
            while (group_.waiting() <= i) std::this_thread::yield();
          }
          return {};
        },
        true));
    threads.clear();
    return outcomes;
  }

  Scratch scratch_;
  Database database_{sql::open_sqlite(scratch_.path() / "t.db").value()};
  Database beside_{sql::open_sqlite(scratch_.path() / "t.db").value()};
  GroupCommit group_{database_};
};

TEST_F(GroupCommitTest, one_that_comes_alone_is_written_at_once) {
  EXPECT_TRUE(group_.write([](Database& database) { return add(database, 1); }, true));
  EXPECT_THAT(seen(), ElementsAre(1));
}

TEST_F(GroupCommitTest, those_that_wait_are_written_by_one_commit) {
  std::vector<int> before_the_last = {99};
  const auto outcomes = come_together({[](Database& database) { return add(database, 1); },
                                       [](Database& database) { return add(database, 2); },
                                       [&](Database& database) {
                                         before_the_last = seen();
                                         return add(database, 3);
                                       }});
  for (const auto& outcome : outcomes) EXPECT_TRUE(outcome);
  EXPECT_THAT(before_the_last, IsEmpty()) << "nobody was committed before the others";
  EXPECT_THAT(seen(), ElementsAre(1, 2, 3));
}

TEST_F(GroupCommitTest, an_error_takes_back_its_own_writes_alone) {
  const auto outcomes = come_together({[](Database& database) { return add(database, 1); },
                                       [](Database& database) -> Result<void> {
                                         SLUICE_CHECK(add(database, 2));
                                         return fail(ErrorCode::not_found, "no");
                                       },
                                       [](Database& database) { return add(database, 3); }});
  EXPECT_TRUE(outcomes[0]);
  ASSERT_FALSE(outcomes[1]);
  EXPECT_EQ(outcomes[1].error().code, ErrorCode::not_found);
  EXPECT_TRUE(outcomes[2]);
  EXPECT_THAT(seen(), ElementsAre(1, 3));
}

TEST_F(GroupCommitTest, a_commit_that_fails_is_told_to_all_of_it) {
  const auto outcomes =
      come_together({[](Database& database) { return add(database, 1); },
                     [](Database& database) -> Result<void> {
                       SLUICE_CHECK(database.run("insert into t (v, parent) values (2, 77)"));
                       return {};
                     }});
  EXPECT_FALSE(outcomes[0]);
  EXPECT_FALSE(outcomes[1]);
  EXPECT_THAT(seen(), IsEmpty());
  EXPECT_TRUE(group_.write([](Database& database) { return add(database, 4); }, true)) << "and it goes on";
  EXPECT_THAT(seen(), ElementsAre(4));
}

TEST_F(GroupCommitTest, those_behind_one_that_undid_everything_are_written_all_the_same) {
  ASSERT_TRUE(add(database_, 7));
  const auto outcomes =
      come_together({[](Database& database) { return add(database, 1); },
                     [](Database& database) { return add(database, 7, "insert or rollback"); },
                     [](Database& database) { return add(database, 3); }});
  EXPECT_FALSE(outcomes[0]) << "it was undone, and knows";
  EXPECT_FALSE(outcomes[1]);
  EXPECT_TRUE(outcomes[2]);
  EXPECT_THAT(seen(), ElementsAre(3, 7));
}

TEST_F(GroupCommitTest, many_threads_lose_nothing) {
  constexpr int kThreads = 8, kEach = 50;
  std::atomic<int> next = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (int k = 0; k < kEach; ++k) {
          const int value = next++;
          EXPECT_TRUE(group_.write([&](Database& database) { return add(database, value); }, i % 2 == 0));
        }
      });
    }
  }
  EXPECT_EQ(seen().size(), static_cast<std::size_t>(kThreads * kEach));
}

}  // namespace
}  // namespace sluice::jobs
