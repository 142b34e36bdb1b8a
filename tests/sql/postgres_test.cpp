// What PostgreSQL does behind the seam.
#include "sql/postgres.h"

#include "sql/database_url.h"
#include "sql/migration.h"
#include "sql/postgres_parameters.h"
#include "sql/test_database.h"
#include "sql/transaction.h"
#include "support/postgres_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <limits>
#include <thread>

namespace sluice::sql {
namespace {

using test::cell_of;
using test::must;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view kEndless =
    "with recursive n (i) as (select 1::bigint union all select i + 1 from n) select count(*) from n";

// A schema of the test's own, gone with it.
class Postgres : public testing::Test {
 protected:
  Postgres() { must(connection_->execute("create schema " + schema_)); }
  void TearDown() override { (void)connect()->execute("drop schema " + schema_ + " cascade"); }
  std::unique_ptr<PostgresConnection> connect(PostgresOptions options = {}) {
    options.schema = schema_;
    return must(open_postgres(Secret(test::postgres_url()), options));
  }
  void execute(std::string_view script) { must(connection_->execute(script)); }

  const std::string schema_ =
      fmt::format("t{}_{}", ::getpid(), testing::UnitTest::GetInstance()->random_seed());
  std::unique_ptr<PostgresConnection> connection_ = connect();
};

TEST_F(Postgres, values_come_back_as_they_were_bound) {
  execute(
      "create table t (a bigint, b double precision, c text, d bytea, e text, f text, g integer, h boolean)");
  auto insert = must(connection_->prepare("insert into t values (?, ?, ?, ?, ?, ?, ?, ?)"));
  const std::string blob("\xff\x00\x01", 3);
  insert->bind_int64(1, std::numeric_limits<std::int64_t>::min());
  insert->bind_double(2, 0.1);
  insert->bind_text(3, "Zürich ' \" \\");
  insert->bind_blob(4, blob);
  insert->bind_null(5);
  insert->bind_text(6, std::string_view());
  insert->bind_int64(7, 7);
  insert->bind_int64(8, 1);
  ASSERT_OK(insert->run());
  EXPECT_EQ(connection_->changes(), 1);
  auto select = must(connection_->prepare("select * from t"));
  ASSERT_TRUE(must(select->step()));
  EXPECT_EQ(select->column_count(), 8);
  EXPECT_EQ(select->column_name(1), "b");
  EXPECT_EQ(select->int64(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(select->real(1), 0.1);
  EXPECT_EQ(select->text(2), "Zürich ' \" \\");
  EXPECT_EQ(select->blob(3), blob);
  EXPECT_EQ(select->column(3).kind, Kind::blob);
  EXPECT_TRUE(select->is_null(4));
  EXPECT_FALSE(select->is_null(5)) << "an empty text is not NULL";
  EXPECT_EQ(select->int64(6), 7);
  EXPECT_EQ(select->int64(7), 1);
  EXPECT_FALSE(must(select->step()));
}

TEST_F(Postgres, a_statement_can_be_stepped_again_and_beside_another) {
  execute("create table t (a integer)");
  auto insert = must(connection_->prepare("insert into t values (?)"));
  for (int i = 0; i < 3; ++i) {
    insert->bind_int64(1, i);
    ASSERT_OK(insert->run());
  }
  auto select = must(connection_->prepare("select a from t order by a"));
  std::int64_t sum = 0;
  while (must(select->step())) {
    insert->bind_int64(1, 10 + select->int64(0));
    ASSERT_OK(insert->run());
    sum += select->int64(0);
  }
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "6");
}

TEST_F(Postgres, an_impossible_binding_is_reported_by_the_next_step) {
  execute("create table t (a integer)");
  auto insert = must(connection_->prepare("insert into t values (?)"));
  insert->bind_int64(2, 1);
  EXPECT_FALSE(insert->run().has_value());
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "0");
}

TEST_F(Postgres, prepare_takes_exactly_one_statement) {
  EXPECT_TRUE(connection_->prepare("select 1; ").has_value());
  EXPECT_FALSE(connection_->prepare("select 1; select 2").has_value());
  EXPECT_FALSE(connection_->prepare("").has_value());
  const auto wrong = connection_->prepare("selec 1");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code, ErrorCode::internal);
  using namespace std::string_literals;
  EXPECT_FALSE(connection_->execute("create table a (x int)\0; create table b (x int)"s).has_value());
  EXPECT_FALSE(connection_->prepare("select 1\0"s).has_value());
}

TEST_F(Postgres, a_spoiled_transaction_commits_nothing_and_says_so) {
  execute("create table t (a integer primary key)");
  {
    auto transaction = must(Transaction::begin(*connection_));
    execute("insert into t values (1)");
    const auto twice = connection_->execute("insert into t values (1)");
    ASSERT_FALSE(twice.has_value());
    EXPECT_EQ(twice.error().code, ErrorCode::conflict);
    const auto committed = transaction.commit();
    ASSERT_FALSE(committed.has_value());
    EXPECT_THAT(committed.error().message, HasSubstr("nothing was written"));
  }
  EXPECT_FALSE(connection_->in_transaction());
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "0");
}

TEST_F(Postgres, a_reader_sees_one_state_and_writes_nothing) {
  execute("create table t (a integer); insert into t values (1)");
  const auto reader = connect({.read_only = true});
  auto reading = must(Transaction::begin(*reader, TransactionKind::deferred));
  EXPECT_EQ(cell_of(*reader, "select count(*) from t"), "1");
  execute("insert into t values (2)");
  EXPECT_EQ(cell_of(*reader, "select count(*) from t"), "1");
  reading.rollback();
  EXPECT_EQ(cell_of(*reader, "select count(*) from t"), "2");
  EXPECT_FALSE(reader->execute("insert into t values (3)").has_value());
}

TEST_F(Postgres, a_row_that_stays_locked_is_an_error_to_retry) {
  execute("create table t (a integer); insert into t values (1)");
  const auto other = connect({.lock_timeout = 1ms});
  auto transaction = must(Transaction::begin(*connection_));
  execute("update t set a = 2");
  const auto blocked = other->execute("update t set a = 3");
  ASSERT_FALSE(blocked.has_value());
  EXPECT_EQ(blocked.error().code, ErrorCode::locked);
  EXPECT_TRUE(blocked.error().retryable);
}

TEST_F(Postgres, a_long_statement_stops_when_asked_and_undoes_its_transaction) {
  execute("create table t (a integer)");
  std::stop_source source;
  {
    auto transaction = must(Transaction::begin(*connection_));
    execute("insert into t values (1)");
    std::jthread stopper([&] { source.request_stop(); });
    const StopScope scope(*connection_, source.get_token());
    const auto endless = connection_->execute(kEndless);
    ASSERT_FALSE(endless.has_value());
    EXPECT_EQ(endless.error().code, ErrorCode::cancelled);
    EXPECT_FALSE(transaction.commit().has_value());
  }
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "0");
}

TEST_F(Postgres, a_stop_ends_the_wait_for_a_lock_and_short_statements_go_on) {
  execute("create table t (a integer); insert into t values (1)");
  const auto other = connect();
  auto writing = must(Transaction::begin(*connection_));
  execute("update t set a = 2");
  std::stop_source source;
  source.request_stop();
  const StopScope scope(*other, source.get_token());
  const auto stopped = other->execute("update t set a = 3");
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(cell_of(*other, "select a from t"), "1");
}

TEST_F(Postgres, a_connection_that_was_cut_says_so_and_may_be_tried_again) {
  const auto other = connect();
  EXPECT_TRUE(other->alive());
  execute(fmt::format("select pg_terminate_backend({}, 10000)", other->server_process()));
  EXPECT_FALSE(other->alive());
  const auto lost = other->execute("select 1");
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, ErrorCode::unreachable);
  EXPECT_TRUE(lost.error().retryable);
}

TEST_F(Postgres, a_server_that_does_not_answer_in_time_costs_the_connection) {
  const auto other = connect({.answer_timeout = 50ms});
  const auto late = other->execute(fmt::format("/* {} */ {}", schema_, kEndless));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  EXPECT_TRUE(late.error().retryable);
  EXPECT_FALSE(other->alive());
  EXPECT_FALSE(other->execute("select 1").has_value());
  // The server does not notice by itself that nobody waits any more.
  execute(fmt::format(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like '/* {} */ with%'", schema_));
}

TEST_F(Postgres, what_nobody_waits_for_any_more_is_stopped_and_lets_go_of_its_locks) {
  const auto other = connect({.answer_timeout = 50ms});
  const std::string key = fmt::format("hashtext('{}')", schema_);
  must(other->execute("begin"));
  must(other->execute(fmt::format("select pg_advisory_xact_lock({})", key)));
  EXPECT_FALSE(other->execute(std::string(kEndless)).has_value());
  execute(fmt::format("set lock_timeout = '1min'; select pg_advisory_xact_lock({})", key));
}

TEST_F(Postgres, notifications_arrive) {
  must(connection_->execute("listen ch"));
  EXPECT_TRUE(must(connection_->notifications(0ms, {})).empty());
  must(connect()->execute("notify ch, 'hello'"));
  const auto heard = must(connection_->notifications(1h, {}));
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].channel, "ch");
  EXPECT_EQ(heard[0].payload, "hello");
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(must(connection_->notifications(1h, source.get_token())).empty());
}

TEST_F(Postgres, migrations_run_once_in_order_and_only_upwards) {
  const std::array<std::string_view, 2> two = {"create table a (x integer)",
                                               "alter table a add column y integer"};
  ASSERT_OK(migrate(*connection_, "part", std::span(two).first(1)));
  ASSERT_OK(migrate(*connection_, "part", two));
  ASSERT_OK(migrate(*connection_, "part", two));
  execute("insert into a values (1, 2)");
  EXPECT_TRUE(must(table_exists(*connection_, "a")));
  EXPECT_TRUE(must(column_exists(*connection_, "a", "y")));
  const auto back = migrate(*connection_, "part", std::span(two).first(1));
  ASSERT_FALSE(back.has_value());
  EXPECT_EQ(back.error().code, ErrorCode::unsupported);
  const std::array<std::string_view, 2> bad = {"create table c (x integer)", "nonsense"};
  EXPECT_FALSE(migrate(*connection_, "bad", bad).has_value());
  EXPECT_FALSE(must(table_exists(*connection_, "c")));
}

TEST_F(Postgres, opening_tells_what_is_wrong_and_never_the_password) {
  const std::string there = test::postgres_url();
  const std::string folder = there.substr(there.find('?'));
  const auto opened = [](const std::string& url) { return open_postgres(Secret(url)); };
  const auto missing = opened("postgres://sluice:pa55@/nobodys" + folder);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_THAT(missing.error().describe(), Not(HasSubstr("pa55")));
  const auto stranger = opened("postgres://stranger:pa55@/postgres" + folder);
  ASSERT_FALSE(stranger.has_value());
  EXPECT_EQ(stranger.error().code, ErrorCode::unauthorized);
  const auto nowhere = opened("postgres://sluice:pa55@/postgres?host=/nonexistent");
  ASSERT_FALSE(nowhere.has_value());
  EXPECT_EQ(nowhere.error().code, ErrorCode::unreachable);
  EXPECT_TRUE(nowhere.error().retryable);
  EXPECT_THAT(nowhere.error().describe(), Not(HasSubstr("pa55")));
}

TEST(PostgresUrl, is_parsed_and_described_without_its_password) {
  const auto parsed = must(parse_database_url("postgresql://me:pa55@db.example:6432/jobs?sslmode=require"));
  EXPECT_EQ(parsed.dialect, Dialect::postgres);
  EXPECT_EQ(describe_postgres(parsed.server), "postgres://me@db.example:6432/jobs");
  for (const std::string url : {"postgres://me:pa55%zz@host/db", "postgres://me:pa55@host/db?nonsense=1"}) {
    const auto refused = parse_database_url(url);
    ASSERT_FALSE(refused.has_value()) << url;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(refused.error().message, Not(HasSubstr("pa55")));
  }
}

TEST(PostgresParameters, are_numbered_outside_of_quotes_and_comments) {
  EXPECT_EQ(number_parameters("select ?, ?2, ?"), "select $1, $2, $3");
  EXPECT_EQ(number_parameters("select '?', \"?\", $1 -- ?\n, ?"), "select '?', \"?\", $1 -- ?\n, $1");
  EXPECT_EQ(number_parameters("/* ? /* ? */ ? */ ?"), "/* ? /* ? */ ? */ $1");
  EXPECT_EQ(number_parameters("$x$ ? $x$ ? $$?$$ 'it''s ?'"), "$x$ ? $x$ $1 $$?$$ 'it''s ?'");
}

}  // namespace
}  // namespace sluice::sql
