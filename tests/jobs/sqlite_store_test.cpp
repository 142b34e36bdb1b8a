// The SQLite store joins the conformance suite, and keeps some rules of its own.
#include "jobs/scratch.h"
#include "jobs/sqlite/store.h"
#include "jobs/store_conformance.h"
#include "sql/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace sluice::jobs {
namespace {

class SqliteSetting final : public Setting {
 public:
  std::unique_ptr<Store> open() override { return open_store(scratch_.path()); }
  void execute(std::string_view script) override {
    const auto done = sql::open_sqlite(scratch_.path() / "jobs.db").value()->execute(std::string(script));
    ASSERT_TRUE(done) << done.error().describe();
  }

  std::int64_t number(std::string_view query) override {
    const auto connection = sql::open_sqlite(scratch_.path() / "jobs.db").value();
    const auto select = connection->prepare(query).value();
    EXPECT_TRUE(select->step().value());
    return select->int64(0);
  }

 private:
  Scratch scratch_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values(StoreKind{"Sqlite",
                                                   [] { return std::make_unique<SqliteSetting>(); }}),
                         [](const auto& about) { return about.param.name; });

int mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return static_cast<int>(status.st_mode & 07777);
}

TEST(SqliteStore, its_files_are_the_owners_alone) {
  const Scratch scratch;
  const auto data = scratch.path() / "data";
  const auto store = open_store(data);
  Node node;
  node.id = "n1";
  ASSERT_TRUE(store->nodes().join(node));
  EXPECT_EQ(mode_of(data), 0700);
  EXPECT_EQ(mode_of(data / "jobs.db"), 0600);
  EXPECT_EQ(mode_of(data / "jobs.db-wal"), 0600);
  EXPECT_EQ(mode_of(data / "nodes"), 0700);
  EXPECT_EQ(mode_of(data / "nodes" / "n1.lock"), 0600);
}

TEST(SqliteStore, opens_again_with_everything_in_it) {
  const Scratch scratch;
  NewJob job;
  job.kind = "load";
  auto store = open_store(scratch.path());
  ASSERT_TRUE(store->jobs().enqueue(std::span(&job, 1), Timestamp{}));
  store.reset();
  store = open_store(scratch.path());
  EXPECT_EQ(store->queries().list({}).value().size(), 1u);
}

TEST(SqliteStore, a_folder_that_cannot_be_made_is_a_clear_error) {
  const Scratch scratch;
  const auto blocked = scratch.path() / "file";
  ASSERT_TRUE(write_file_atomically(blocked, "x"));
  const auto opened = open_sqlite_store(blocked / "data");
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().describe().find("file"), std::string::npos) << opened.error().describe();
}

TEST(SqliteStore, a_file_that_is_no_database_is_a_clear_error) {
  const Scratch scratch;
  ASSERT_TRUE(write_file_atomically(scratch.path() / "jobs.db", std::string(4096, 'x')));
  const auto opened = open_sqlite_store(scratch.path());
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().describe().find("jobs.db"), std::string::npos) << opened.error().describe();
}

TEST(SqliteStore, one_serve_owns_a_data_folder) {
  const Scratch scratch;
  {
    const auto first = lock_for_serving(scratch.path());
    ASSERT_TRUE(first);
    const auto second = lock_for_serving(scratch.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::locked);
    EXPECT_NE(second.error().message.find(scratch.path().string()), std::string::npos);
  }
  EXPECT_TRUE(lock_for_serving(scratch.path()));
}

}  // namespace
}  // namespace sluice::jobs
