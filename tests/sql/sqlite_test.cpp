// What only SQLite does: files, modes, pragmas, full disks.
#include "sql/sqlite.h"

#include "base/file.h"
#include "sql/database_url.h"
#include "sql/test_database.h"
#include "sql/transaction.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

namespace sluice::sql {
namespace {

using test::cell_of;
using test::must;
using testing::HasSubstr;

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777u;
}

TEST(Sqlite, files_and_folders_are_private) {
  const test::TestFolder folder;
  const auto path = folder.path() / "new" / "x.db";
  const auto connection = must(open_sqlite(path));
  must(connection->execute("create table t (a); insert into t values (1)"));
  EXPECT_EQ(mode_of(path.parent_path()), 0700u);
  EXPECT_EQ(mode_of(path), 0600u);
  EXPECT_EQ(mode_of(path.string() + "-wal"), 0600u);
}

TEST(Sqlite, is_durable_and_in_wal_mode) {
  test::SqliteTestDatabase database;
  const auto connection = database.connect();
  EXPECT_EQ(cell_of(*connection, "pragma journal_mode"), "wal");
  EXPECT_EQ(cell_of(*connection, "pragma synchronous"), "2");
  EXPECT_EQ(cell_of(*connection, "pragma foreign_keys"), "1");
}

TEST(Sqlite, a_missing_file_is_not_created_for_readers) {
  const test::TestFolder folder;
  const auto read = open_sqlite(folder.path() / "x.db", {.read_only = true});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::not_found);
  EXPECT_FALSE(open_sqlite(folder.path() / "x.db", {.create = false}).has_value());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x.db"));
}

TEST(Sqlite, a_reader_cannot_write) {
  test::SqliteTestDatabase database;
  database.connect();
  const auto reader = database.connect({.read_only = true});
  const auto written = reader->execute("create table t (a)");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::io);
}

TEST(Sqlite, a_file_that_is_no_database_is_named) {
  const test::TestFolder folder;
  const auto path = folder.path() / "notes.txt";
  std::ofstream(path) << std::string(5000, 'x');
  const auto opened = open_sqlite(path);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::malformed);
  EXPECT_THAT(opened.error().describe(), HasSubstr("notes.txt"));
  EXPECT_FALSE(open_sqlite(folder.path()).has_value()) << "a directory";
}

TEST(Sqlite, a_full_disk_is_an_error_and_nothing_is_written) {
  test::SqliteTestDatabase database;
  const auto connection = database.connect({.max_page_count = 20});
  must(connection->execute("create table t (a)"));
  {
    auto transaction = must(Transaction::begin(*connection));
    auto insert = must(connection->prepare("insert into t values (?)"));
    const std::string big(10'000, 'x');
    Result<void> last;
    for (int i = 0; i < 100 && last; ++i) {
      insert->bind_text(1, big);
      last = insert->run();
    }
    ASSERT_FALSE(last.has_value());
    EXPECT_EQ(last.error().code, ErrorCode::io);
    EXPECT_TRUE(last.error().retryable);
    EXPECT_THAT(last.error().message, HasSubstr("full"));
  }
  EXPECT_EQ(cell_of(*connection, "select count(*) from t"), "0");
  must(connection->execute("insert into t values (1)"));
}

TEST(Sqlite, a_limit_on_the_size_of_files_is_an_error_and_nothing_is_written) {
  test::SqliteTestDatabase database;
  const auto connection = database.connect();
  must(connection->execute("create table t (a)"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 256 << 10;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto written = connection->execute(
      "insert into t with recursive n (i) as (select 1 union all select i + 1 from n limit 100) "
      "select zeroblob(10000) from n");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::io);
  EXPECT_TRUE(written.error().retryable) << "the limit can be raised";
  EXPECT_THAT(written.error().message, HasSubstr("File too large"));
  EXPECT_THAT(written.error().describe(), HasSubstr("test.db"));
  EXPECT_EQ(cell_of(*connection, "select count(*) from t"), "0");
  must(connection->execute("insert into t values (1)"));
}

TEST(DatabaseUrl, names_a_sqlite_file) {
  EXPECT_EQ(must(parse_database_url("sqlite:data/x.db")).path, "data/x.db");
  EXPECT_EQ(must(parse_database_url("sqlite:/tmp/x.db")).path, "/tmp/x.db");
  EXPECT_EQ(must(parse_database_url("sqlite:///tmp/x.db")).path, "/tmp/x.db");
  EXPECT_EQ(must(parse_database_url("SQLite:x y.db")).path, "x y.db");
}

TEST(DatabaseUrl, refuses_what_it_cannot_open_and_keeps_passwords_out) {
  const auto postgres = open_database(must(parse_database_url("postgres://me:secret@host/db")));
  ASSERT_FALSE(postgres.has_value());
  EXPECT_EQ(postgres.error().code, ErrorCode::unsupported);
  EXPECT_THAT(postgres.error().message, HasSubstr("sqlite:PATH"));
  for (const std::string url : {"", "x.db", "sqlite:", "sqlite: ", "mysql://me:secret@host/db"}) {
    const auto refused = parse_database_url(url);
    ASSERT_FALSE(refused.has_value()) << url;
    EXPECT_THAT(refused.error().message, testing::Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace sluice::sql
