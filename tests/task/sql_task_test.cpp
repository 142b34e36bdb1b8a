// One suite for both databases: what a job of kind sql does, and what it says of it.
#include "sql/database_url.h"
#include "sql/postgres.h"
#include "sql/sqlite.h"
#include "support/postgres_server.h"
#include "task/log_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace sluice::task {
namespace {

namespace fs = std::filesystem;

class SqlTasks : public testing::TestWithParam<sql::Dialect> {
 protected:
  void SetUp() override {
    if (GetParam() == sql::Dialect::postgres) {
      // A schema of this process: others run these tests beside it.
      schema = fmt::format("sql_task_{}", ::getpid());
      const auto url = sluice::test::postgres_url();
      admin = *sql::open_postgres(Secret(url));
      ASSERT_TRUE(admin->execute(fmt::format("create schema {}", schema)).has_value());
      setting.database = fmt::format("{}{}options=-c%20search_path%3D{}", url,
                                     url.find('?') == std::string::npos ? '?' : '&', schema);
      connection = *sql::open_postgres(Secret(setting.database));
    } else {
      path = fs::temp_directory_path() / fmt::format("sql_task_{}.db", ::getpid());
      fs::remove(path);
      setting.database = "sqlite:" + path.string();
      connection = *sql::open_sqlite(path);
    }
    ASSERT_TRUE(connection->execute("drop table if exists night_session").has_value());
    ASSERT_TRUE(connection->execute("create table night_session (id int primary key, gone int)").has_value());
    ASSERT_TRUE(connection->execute("insert into night_session values (1, 1), (2, 0), (3, 1)").has_value());
  }
  void TearDown() override {
    connection.reset();
    if (admin) {
      EXPECT_TRUE(admin->execute(fmt::format("drop schema {} cascade", schema)).has_value());
    }
    if (!path.empty()) fs::remove(path);
  }
  std::int64_t rows() {
    const auto statement = *connection->prepare("select count(*) from night_session");
    EXPECT_TRUE(statement->step().has_value());
    return statement->int64(0);
  }

  test::Setting setting;
  fs::path path;
  std::string schema;
  std::unique_ptr<sql::Connection> admin;  // PostgreSQL: makes and drops the schema
  std::unique_ptr<sql::Connection> connection;
};

TEST_P(SqlTasks, count_the_rows_that_each_statement_changes) {
  const auto outcome = setting.run(SqlTask{
      .statements = {"delete from night_session where gone = 1", "insert into night_session values (7, 0)"}});
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
  EXPECT_EQ(outcome.changed, 3);
  const auto result = test::result_of(outcome);
  EXPECT_EQ(result["changed"], 3);
  ASSERT_EQ(result["statements"].size(), 2u);
  EXPECT_EQ(result["statements"][0]["statement"], "delete from night_session where gone = 1");
  EXPECT_EQ(result["statements"][0]["changed"], 2);
  EXPECT_EQ(result["statements"][1]["changed"], 1);
  EXPECT_EQ(rows(), 2);
  EXPECT_NE(setting.book.text().find("delete from night_session where gone = 1: 2 rows changed"),
            std::string::npos);
}

TEST_P(SqlTasks, are_one_transaction) {
  const auto outcome = setting.run(
      SqlTask{.statements = {"delete from night_session", "insert into no_such_table values (1)"}});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::invalid_definition);
  EXPECT_FALSE(outcome.error->retryable);
  EXPECT_NE(outcome.error->describe().find("statement 2"), std::string::npos) << outcome.error->describe();
  EXPECT_NE(outcome.error->describe().find("no_such_table"), std::string::npos) << outcome.error->describe();
  EXPECT_EQ(outcome.changed, 0);
  EXPECT_EQ(rows(), 3);
}

TEST_P(SqlTasks, run_each_by_itself_without_a_transaction) {
  const bool server = GetParam() == sql::Dialect::postgres;
  const auto outcome =
      setting.run(SqlTask{.statements = {server ? "vacuum night_session" : "vacuum",
                                         "delete from night_session", "drop table no_such_table"},
                          .transaction = false});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.changed, 3);
  EXPECT_EQ(rows(), 0);
}

TEST_P(SqlTasks, show_the_first_rows_of_a_query) {
  const auto outcome = setting.run(
      SqlTask{.statements = {"select id, gone from night_session order by id", "analyze night_session"}});
  ASSERT_FALSE(outcome.error) << outcome.error->describe();
  EXPECT_EQ(test::result_of(outcome)["statements"][0]["rows"], 3);
  EXPECT_EQ(test::result_of(outcome)["statements"][1]["changed"], 0);
  EXPECT_EQ(setting.book.lines.at(0), "id=1  gone=1");
}

TEST_P(SqlTasks, wait_for_a_lock_and_then_are_tried_again) {
  ASSERT_TRUE(connection->execute("begin").has_value());
  ASSERT_TRUE(connection->execute("delete from night_session where id = 1").has_value());
  const auto outcome = setting.run(SqlTask{.statements = {"delete from night_session where id = 1"}});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::locked);
  EXPECT_TRUE(outcome.error->retryable);
  ASSERT_TRUE(connection->execute("rollback").has_value());
}

TEST_P(SqlTasks, end_when_they_are_stopped) {
  std::stop_source stop;
  stop.request_stop();
  const auto outcome = setting.run(SqlTask{.statements = {"delete from night_session"}}, stop.get_token());
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::cancelled);
  EXPECT_EQ(rows(), 3);
}

TEST_P(SqlTasks, keep_secrets_out_of_the_log_the_result_and_the_error) {
  const auto outcome =
      setting.run(SqlTask{.statements = {"select 'hunter22' as a", "select hunter22 from night_session"}}, {},
                  {Secret("hunter22")});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(setting.book.text().find("hunter22"), std::string::npos) << setting.book.text();
  EXPECT_EQ(outcome.result.find("hunter22"), std::string::npos) << outcome.result;
  EXPECT_EQ(outcome.error->describe().find("hunter22"), std::string::npos) << outcome.error->describe();
}

INSTANTIATE_TEST_SUITE_P(Both, SqlTasks, testing::Values(sql::Dialect::sqlite, sql::Dialect::postgres),
                         [](const auto& instance) {
                           return instance.param == sql::Dialect::sqlite ? "sqlite" : "postgres";
                         });

TEST(SqlTask, finds_no_database_where_there_is_none) {
  test::Setting setting;
  setting.database = "sqlite:" + (fs::temp_directory_path() / "no_such_folder" / "a.db").string();
  const auto outcome = setting.run(SqlTask{.statements = {"select 1"}});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, ErrorCode::not_found);
}

TEST(SqlTask, takes_the_question_mark_operators_of_postgres) {
  test::Setting setting;
  setting.database = sluice::test::postgres_url();
  const auto outcome = setting.run(SqlTask{.statements = {"select '{\"a\": 1}'::jsonb ? 'a'"}});
  EXPECT_FALSE(outcome.error) << outcome.error->describe();
}

}  // namespace
}  // namespace sluice::task
