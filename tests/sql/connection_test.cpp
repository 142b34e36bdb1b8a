// The conformance suite of the seam: what every database behind it has to do.
#include "sql/connection.h"

#include "sql/identifier.h"
#include "sql/migration.h"
#include "sql/test_database.h"
#include "sql/transaction.h"

#include <gmock/gmock.h>

#include <array>
#include <limits>
#include <thread>

namespace sluice::sql {
namespace {

using test::cell_of;
using test::must;
using test::rows_of;
using testing::ElementsAre;
using testing::HasSubstr;

class SqlSeam : public test::OnEveryDatabase {
 protected:
  void execute(std::string_view script) { must(connection_->execute(script)); }
};

TEST_P(SqlSeam, values_come_back_as_they_were_bound) {
  execute("create table t (a, b, c, d, e, f)");
  auto insert = must(connection_->prepare("insert into t values (?, ?, ?, ?, ?, ?)"));
  const std::string text("a\0b", 3);
  const std::string blob("\xff\x00\x01", 3);
  insert->bind_int64(1, std::numeric_limits<std::int64_t>::min());
  insert->bind_double(2, 0.1);
  insert->bind_text(3, text);
  insert->bind_blob(4, blob);
  insert->bind_null(5);
  insert->bind_text(6, std::string_view());
  ASSERT_OK(insert->run());
  EXPECT_EQ(connection_->changes(), 1);
  auto select = must(connection_->prepare("select * from t"));
  ASSERT_TRUE(must(select->step()));
  EXPECT_EQ(select->column_count(), 6);
  EXPECT_EQ(select->column_name(1), "b");
  EXPECT_EQ(select->int64(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(select->real(1), 0.1);
  EXPECT_EQ(select->text(2), text);
  EXPECT_EQ(select->column(2).kind, Kind::text);
  EXPECT_EQ(select->blob(3), blob);
  EXPECT_EQ(select->column(3).kind, Kind::blob);
  EXPECT_TRUE(select->is_null(4));
  EXPECT_FALSE(select->is_null(5)) << "an empty text is not NULL";
  EXPECT_EQ(select->text(5), "");
  EXPECT_FALSE(must(select->step()));
}

TEST_P(SqlSeam, a_statement_can_be_stepped_again_after_it_is_done) {
  execute("create table t (a integer)");
  auto insert = must(connection_->prepare("insert into t values (?)"));
  for (int i = 0; i < 3; ++i) {
    insert->bind_int64(1, i);
    ASSERT_OK(insert->run());
  }
  EXPECT_THAT(rows_of(*connection_, "select a from t order by a"), ElementsAre("0", "1", "2"));
}

TEST_P(SqlSeam, an_impossible_binding_is_reported_by_the_next_step) {
  execute("create table t (a integer)");
  auto insert = must(connection_->prepare("insert into t values (?)"));
  insert->bind_int64(2, 1);
  EXPECT_FALSE(insert->run().has_value());
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "0");
}

TEST_P(SqlSeam, prepare_takes_exactly_one_statement) {
  EXPECT_TRUE(connection_->prepare("select 1; ").has_value());
  EXPECT_FALSE(connection_->prepare("select 1; select 2").has_value());
  EXPECT_FALSE(connection_->prepare("").has_value());
  const auto wrong = connection_->prepare("selec 1");
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code, ErrorCode::internal);
}

TEST_P(SqlSeam, a_transaction_ends_with_its_scope) {
  execute("create table t (a integer)");
  {
    auto transaction = must(Transaction::begin(*connection_));
    execute("insert into t values (1)");
    EXPECT_TRUE(connection_->in_transaction());
    EXPECT_FALSE(Transaction::begin(*connection_).has_value());
  }
  EXPECT_FALSE(connection_->in_transaction());
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "0");
  auto transaction = must(Transaction::begin(*connection_));
  execute("insert into t values (1)");
  ASSERT_OK(transaction.commit());
  EXPECT_FALSE(transaction.commit().has_value());
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "1");
}

TEST_P(SqlSeam, a_second_writer_is_locked_out_and_may_retry) {
  const auto other = database_->connect({.busy_timeout = std::chrono::milliseconds(1)});
  execute("create table t (a integer)");
  auto transaction = must(Transaction::begin(*connection_));
  const auto second = Transaction::begin(*other);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::locked);
  EXPECT_TRUE(second.error().retryable);
  transaction.rollback();
  EXPECT_TRUE(Transaction::begin(*other).has_value());
}

TEST_P(SqlSeam, a_reader_sees_one_state_while_another_writes) {
  execute("create table t (a integer); insert into t values (1)");
  const auto reader = database_->connect({.read_only = true});
  auto reading = must(Transaction::begin(*reader, TransactionKind::deferred));
  EXPECT_EQ(cell_of(*reader, "select count(*) from t"), "1");
  execute("insert into t values (2)");
  EXPECT_EQ(cell_of(*reader, "select count(*) from t"), "1");
  reading.rollback();
  EXPECT_EQ(cell_of(*reader, "select count(*) from t"), "2");
}

TEST_P(SqlSeam, a_broken_constraint_is_a_conflict) {
  execute("create table t (a integer primary key, b text not null)");
  execute("insert into t values (1, 'x')");
  const auto twice = connection_->execute("insert into t values (1, 'y')");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().code, ErrorCode::conflict);
  EXPECT_FALSE(twice.error().retryable);
}

TEST_P(SqlSeam, a_long_statement_stops_when_asked) {
  std::stop_source source;
  source.request_stop();
  {
    const StopScope scope(*connection_, source.get_token());
    const auto endless = connection_->execute(
        "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n");
    ASSERT_FALSE(endless.has_value());
    EXPECT_EQ(endless.error().code, ErrorCode::cancelled);
  }
  EXPECT_EQ(cell_of(*connection_, "select 1"), "1");
}

TEST_P(SqlSeam, a_stop_from_another_thread_ends_a_running_statement) {
  std::stop_source source;
  std::jthread stopper([&] { source.request_stop(); });
  const StopScope scope(*connection_, source.get_token());
  const auto endless = connection_->execute(
      "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n");
  ASSERT_FALSE(endless.has_value());
  EXPECT_EQ(endless.error().code, ErrorCode::cancelled);
}

TEST_P(SqlSeam, a_stopped_write_leaves_nothing_and_the_connection_usable) {
  execute("create table t (a integer)");
  std::stop_source source;
  source.request_stop();
  {
    auto transaction = must(Transaction::begin(*connection_));
    execute("insert into t values (1)");
    const StopScope scope(*connection_, source.get_token());
    const auto stopped = connection_->execute(
        "insert into t with recursive n (i) as (select 1 union all select i + 1 from n) select i from n");
    ASSERT_FALSE(stopped.has_value());
    EXPECT_FALSE(transaction.commit().has_value());
  }
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "0");
}

TEST_P(SqlSeam, a_stop_ends_the_wait_for_a_lock) {
  execute("create table t (a integer)");
  const auto other = database_->connect({.busy_timeout = std::chrono::hours(1)});
  const auto writing = must(Transaction::begin(*connection_));
  std::stop_source source;
  source.request_stop();
  const StopScope scope(*other, source.get_token());
  const auto stopped = other->execute("insert into t values (1)");
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST_P(SqlSeam, an_inner_stop_scope_gives_the_outer_one_back) {
  const std::string_view endless =
      "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n";
  execute("create table t (a integer)");
  std::stop_source source;
  const StopScope outer(*connection_, source.get_token());
  {
    const StopScope inner(*connection_, source.get_token());
  }
  {
    auto transaction = must(Transaction::begin(*connection_));
    execute("insert into t values (1)");
  }  // rolls back, which no stop may hinder
  source.request_stop();
  const auto stopped = connection_->execute(endless);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(cell_of(*connection_, "select count(*) from t"), "0");
}

TEST_P(SqlSeam, a_nul_byte_ends_no_statement_early) {
  using namespace std::string_literals;
  EXPECT_FALSE(connection_->execute("create table a (x)\0; create table b (x)"s).has_value());
  EXPECT_FALSE(connection_->execute("\0create table b (x)"s).has_value());
  EXPECT_FALSE(connection_->prepare("select 1\0"s).has_value());
}

TEST_P(SqlSeam, quoted_names_survive) {
  for (const std::string name :
       {"order", "my table", "quo\"te", "Ünïcode", "a;drop table b", "x'y", "1st", "[b]"}) {
    execute("create table " + quote_identifier(name) + " (" + quote_identifier(name) + " integer)");
    execute("insert into " + quote_identifier(name) + " values (7)");
    EXPECT_EQ(cell_of(*connection_, "select " + quote_identifier(name) + " from " + quote_identifier(name)),
              "7");
    EXPECT_TRUE(must(table_exists(*connection_, name))) << name;
  }
}

TEST_P(SqlSeam, migrations_run_once_in_order_and_only_upwards) {
  const std::array<std::string_view, 2> two = {"create table a (x integer)",
                                               "alter table a add column y integer"};
  ASSERT_OK(migrate(*connection_, "part", std::span(two).first(1)));
  ASSERT_OK(migrate(*connection_, "part", two));
  ASSERT_OK(migrate(*connection_, "part", two));
  execute("insert into a values (1, 2)");
  ASSERT_OK(migrate(*connection_, "other", std::span(two).first(0)));
  const auto back = migrate(*connection_, "part", std::span(two).first(1));
  ASSERT_FALSE(back.has_value());
  EXPECT_EQ(back.error().code, ErrorCode::unsupported);
  EXPECT_THAT(back.error().message, HasSubstr("newer"));
}

TEST_P(SqlSeam, a_migration_that_fails_leaves_nothing) {
  const std::array<std::string_view, 2> bad = {"create table a (x integer)", "nonsense"};
  EXPECT_FALSE(migrate(*connection_, "part", bad).has_value());
  EXPECT_FALSE(must(table_exists(*connection_, "a")));
  EXPECT_FALSE(must(table_exists(*connection_, "_sluice_migration")));
}

INSTANTIATE_TEST_SUITE_P(Databases, SqlSeam, testing::ValuesIn(test::databases()), test::database_name);

}  // namespace
}  // namespace sluice::sql
