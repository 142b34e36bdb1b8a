// Jobs enqueued inside the caller's own transaction: there when it commits, gone when it does not. On both
// databases.
#include "sql/transaction.h"

#include "base/clock.h"
#include "jobs/engine.h"
#include "jobs/postgres_fixture.h"
#include "jobs/scratch.h"
#include "jobs/typed.h"
#include "sql/postgres.h"
#include "sql/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <functional>
#include <memory>
#include <string>

namespace sluice::jobs {
namespace {

struct SendReport {
  std::string to;
  static constexpr std::string_view job_kind = "send-report";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SendReport, to)

// A job store, and a shop whose table is in the same database.
class Shop {
 public:
  virtual ~Shop() = default;
  virtual std::unique_ptr<Store> open() = 0;
  virtual std::unique_ptr<sql::Connection> connect() = 0;  // of the shop's
};

class SqliteShop final : public Shop {
 public:
  std::unique_ptr<Store> open() override { return open_sqlite_store(scratch_.path(), "shop.db").value(); }
  std::unique_ptr<sql::Connection> connect() override {
    return sql::open_sqlite(scratch_.path() / "shop.db").value();
  }

 private:
  Scratch scratch_;
};

class PostgresShop final : public Shop {
 public:
  std::unique_ptr<Store> open() override { return setting_.open(); }
  // With a search path of its own, as another program has.
  std::unique_ptr<sql::Connection> connect() override {
    return sql::open_postgres(Secret(setting_.url()), {.schema = "pg_temp"}).value();
  }

 private:
  PostgresSetting setting_;
};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<Shop>()> make;
};

class TransactionTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    shop_ = GetParam().make();
    store_ = shop_->open();
    connection_ = shop_->connect();
    ASSERT_TRUE(connection_->execute("create temporary table orders (id integer primary key)"));
    engine_ = std::make_unique<Engine>(*store_, clock_, EngineOptions{.workers = 1, .own_thread = false});
    engine_->on<SendReport>([](const SendReport&) -> Result<void> { return {}; });
    ASSERT_TRUE(engine_->start());
  }
  std::size_t jobs() { return store_->queries().list({.limit = 100}).value().size(); }
  std::int64_t counted() {
    std::int64_t sum = 0;
    const auto counts = store_->queries().counts().value();
    for (const auto n : counts) sum += n;
    return sum;
  }
  std::int64_t orders() {
    const auto select = connection_->prepare("select count(*) from orders").value();
    EXPECT_TRUE(select->step().value());
    return select->int64(0);
  }
  void order(int id) {
    EXPECT_TRUE(connection_->execute("insert into orders values (" + std::to_string(id) + ")"));
  }

  std::unique_ptr<Shop> shop_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<sql::Connection> connection_;
  ManualClock clock_{std::chrono::sys_days(std::chrono::year(2026) / 3 / 10)};
  std::unique_ptr<Engine> engine_;
};

TEST_P(TransactionTest, a_commit_brings_the_job) {
  JobId id;
  {
    auto transaction = sql::Transaction::begin(*connection_).value();
    order(1);
    id = engine_->enqueue_in(*connection_, SendReport{"ada"}).value();
    order(2);
    EXPECT_EQ(jobs(), 0u);  // not yet
    ASSERT_TRUE(transaction.commit());
  }
  EXPECT_EQ(orders(), 2);
  EXPECT_EQ(jobs(), 1u);
  EXPECT_EQ(counted(), 1);
  engine_->wake();
  for (Job job = store_->queries().get(id).value().value(); !is_at_rest(job.state);
       job = store_->queries().get(id).value().value()) {
    ASSERT_TRUE(engine_->tick());
    std::this_thread::yield();
  }
  EXPECT_EQ(store_->queries().get(id).value()->state, JobState::succeeded);
  EXPECT_EQ(store_->queries().history(id).value().at(0).state, JobState::enqueued);
}

TEST_P(TransactionTest, a_rollback_leaves_nothing) {
  {
    auto transaction = sql::Transaction::begin(*connection_).value();
    order(1);
    ASSERT_TRUE(engine_->enqueue_in(*connection_, SendReport{"ada"}));
  }
  EXPECT_EQ(orders(), 0);
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(counted(), 0);
  EXPECT_TRUE(store_->nodes().changed_elsewhere());
}

TEST_P(TransactionTest, without_a_transaction_it_is_refused) {
  const auto refused = engine_->enqueue_in(*connection_, SendReport{"ada"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("begin one"));
  EXPECT_EQ(jobs(), 0u);
}

TEST_P(TransactionTest, a_refused_job_leaves_the_transaction_as_it_was) {
  auto transaction = sql::Transaction::begin(*connection_).value();
  order(1);
  NewJob keyless;
  keyless.kind = "send-report";
  keyless.unless_live = true;
  EXPECT_FALSE(engine_->enqueue_in(*connection_, keyless));
  if (connection_->dialect() == sql::Dialect::sqlite) {
    // One that the database itself refuses, after a good one of the same call.
    ASSERT_TRUE(connection_->execute(
        "create temporary trigger refuse before insert on main.job when new.subject = 'bad' begin select "
        "raise(abort, 'no'); end"));
    std::vector<NewJob> two(2);
    two[0].kind = two[1].kind = "send-report";
    two[1].subject = "bad";
    EXPECT_FALSE(engine_->enqueue_in(*connection_, two));
  }
  order(2);
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(jobs(), 0u);
  EXPECT_EQ(counted(), 0);
  EXPECT_EQ(orders(), 2);
}

TEST_P(TransactionTest, a_live_job_of_the_key_is_found_before_and_after_the_commit) {
  NewJob job;
  job.kind = "send-report";
  job.exclusive_key = "ada";
  job.unless_live = true;
  auto transaction = sql::Transaction::begin(*connection_).value();
  const auto first = engine_->enqueue_in(*connection_, std::span(&job, 1)).value().at(0);
  const auto second = engine_->enqueue_in(*connection_, std::span(&job, 1)).value().at(0);
  EXPECT_TRUE(first.created);
  EXPECT_FALSE(second.created);
  EXPECT_EQ(first.id, second.id);
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(engine_->enqueue(job).value(), first.id);
}

TEST_P(TransactionTest, another_database_is_refused) {
  const auto other = GetParam().make();
  const auto elsewhere = other->open();
  Engine engine(*elsewhere, clock_);
  auto transaction = sql::Transaction::begin(*connection_).value();
  // On PostgreSQL both are schemas of one database, and the transaction holds both.
  const auto made = engine.enqueue_in(*connection_, SendReport{"ada"});
  if (connection_->dialect() == sql::Dialect::sqlite) {
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(made.error().message, testing::HasSubstr("not to the database of the job store"));
  } else {
    EXPECT_TRUE(made) << made.error().describe();
  }
  order(1);
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(orders(), 1);
}

TEST_P(TransactionTest, another_kind_of_database_is_refused) {
  SqliteShop lite;
  PostgresShop big;
  Shop& other = connection_->dialect() == sql::Dialect::sqlite ? static_cast<Shop&>(big) : lite;
  const auto elsewhere = other.open();
  Engine engine(*elsewhere, clock_);
  auto transaction = sql::Transaction::begin(*connection_).value();
  const auto refused = engine.enqueue_in(*connection_, SendReport{"ada"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
}

TEST_P(TransactionTest, another_node_finds_it_by_polling) {
  const auto node = shop_->open();
  EXPECT_TRUE(node->nodes().changed_elsewhere());
  auto transaction = sql::Transaction::begin(*connection_).value();
  ASSERT_TRUE(engine_->enqueue_in(*connection_, SendReport{"ada"}));
  ASSERT_TRUE(transaction.commit());
  EXPECT_TRUE(node->nodes().changed_elsewhere().value());
}

INSTANTIATE_TEST_SUITE_P(Databases, TransactionTest,
                         testing::Values(Kind{"sqlite", [] { return std::make_unique<SqliteShop>(); }},
                                         Kind{"postgres", [] { return std::make_unique<PostgresShop>(); }}),
                         [](const auto& test) { return test.param.name; });

// The connection of a program that knows nothing of ours.

TEST(BorrowedConnection, of_sqlite_holds_the_job) {
  Scratch scratch;
  const auto store = open_sqlite_store(scratch.path(), "shop.db").value();
  SystemClock clock;
  Engine engine(*store, clock);
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open((scratch.path() / "shop.db").c_str(), &raw), SQLITE_OK);
  const auto run = [&](const char* sql) {
    ASSERT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  };
  run("create table orders (id integer primary key); begin; insert into orders values (1)");
  ASSERT_TRUE(engine.enqueue_in(*sql::borrow_sqlite(raw), SendReport{"ada"}));
  run("rollback; begin immediate");
  ASSERT_TRUE(engine.enqueue_in(*sql::borrow_sqlite(raw), SendReport{"bob"}));
  run("commit");
  EXPECT_EQ(sqlite3_close(raw), SQLITE_OK);  // no statement of ours is left
  const auto jobs = store->queries().list({.limit = 10}).value();
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].args, R"({"to":"bob"})");
}

TEST(BorrowedConnection, of_libpq_holds_the_job_and_keeps_its_settings) {
  PostgresSetting setting;
  const auto store = setting.open();
  SystemClock clock;
  Engine engine(*store, clock);
  const std::unique_ptr<PGconn, decltype(&PQfinish)> raw(PQconnectdb(setting.url().c_str()), &PQfinish);
  const auto run = [&](const char* sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> done(PQexec(raw.get(), sql), &PQclear);
    EXPECT_NE(PQresultStatus(done.get()), PGRES_FATAL_ERROR) << PQerrorMessage(raw.get());
    return std::string(PQntuples(done.get()) > 0 ? PQgetvalue(done.get(), 0, 0) : "");
  };
  run("set client_encoding = 'LATIN1'");
  run("begin");
  ASSERT_TRUE(engine.enqueue_in(**sql::borrow_postgres(raw.get()), SendReport{"ada"}));
  run("rollback");
  run("begin");
  const auto made = engine.enqueue_in(**sql::borrow_postgres(raw.get()), SendReport{"Jos\xc3\xa9"});
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_EQ(run("show client_encoding"), "LATIN1");
  EXPECT_EQ(run("show search_path"), "\"$user\", public");
  EXPECT_EQ(run("select count(*) from pg_prepared_statements"), "0");
  run("commit");
  EXPECT_EQ(run("show client_encoding"), "LATIN1");
  const auto jobs = store->queries().list({.limit = 10}).value();
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].args, "{\"to\":\"Jos\xc3\xa9\"}");
}

TEST(BorrowedConnection, of_libpq_keeps_no_statement_of_a_call_that_failed) {
  PostgresSetting setting;
  const auto store = setting.open();
  setting.execute(
      "create function no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$; "
      "create trigger no before insert on job for each row execute function no()");
  SystemClock clock;
  Engine engine(*store, clock);
  const auto connection = setting.connect();
  auto transaction = sql::Transaction::begin(*connection).value();
  EXPECT_FALSE(engine.enqueue_in(*connection, SendReport{"ada"}));
  const auto left = connection->prepare("select count(*) - 1 from pg_prepared_statements").value();
  ASSERT_TRUE(left->step().value());
  EXPECT_EQ(left->int64(0), 0);
}

TEST(BorrowedConnection, that_shows_the_past_is_told_what_it_cannot_be_asked) {
  PostgresSetting setting;
  const auto store = setting.open();
  NewJob alone;
  alone.kind = "send-report";
  alone.exclusive_key = "ada";
  alone.unless_live = true;
  NewJob once;
  once.kind = "send-report";
  once.unique_key = "ada";
  NewJob plain;
  plain.kind = "send-report";
  for (const char* level : {"repeatable read", "serializable"}) {
    const auto connection = setting.connect();
    ASSERT_TRUE(connection->execute(std::string("begin isolation level ") + level + "; select 1"));
    for (const NewJob& job : {alone, once}) {
      const auto refused = store->jobs().enqueue_in(*connection, std::span(&job, 1), Timestamp{});
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
      EXPECT_THAT(refused.error().message, testing::HasSubstr("read committed"));
    }
    EXPECT_TRUE(store->jobs().enqueue_in(*connection, std::span(&plain, 1), Timestamp{}));
    ASSERT_TRUE(connection->execute("commit"));
  }
  EXPECT_EQ(store->queries().list({}).value().size(), 2u);
}

}  // namespace
}  // namespace sluice::jobs
