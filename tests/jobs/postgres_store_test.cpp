// The PostgreSQL store joins the conformance suite, and keeps some rules of its own.
#include "jobs/postgres/schema.h"
#include "jobs/postgres/store.h"
#include "jobs/postgres_fixture.h"
#include "jobs/shared_definitions.h"
#include "jobs/store_conformance.h"
#include "sql/migration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

namespace sluice::jobs {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

INSTANTIATE_TEST_SUITE_P(Postgres, StoreConformance,
                         testing::Values(StoreKind{"Postgres",
                                                   [] { return std::make_unique<PostgresSetting>(); }}),
                         [](const auto& about) { return about.param.name; });

class PostgresStore : public testing::Test {
 protected:
  PostgresStore() { join(*store_, "n1"); }
  void join(Store& store, const std::string& id) {
    const auto joined = store.nodes().join({.id = id, .name = "host", .workers = 2, .started_at = now_});
    ASSERT_TRUE(joined) << joined.error().describe();
  }
  JobId add(NewJob job) { return store_->jobs().enqueue(std::span(&job, 1), now_).value().at(0).id; }
  JobId add() { return add(job()); }
  static NewJob job() {
    NewJob job;
    job.kind = "load";
    job.subject = "Country";
    return job;
  }
  Result<std::vector<Claimed>> claim(Store& store, const std::string& node, int limit = 10) {
    auto claimed = store.jobs().claim({.node = node, .limit = limit, .kinds = {"load"}}, now_);
    EXPECT_TRUE(claimed) << claimed.error().describe();
    return claimed;
  }
  JobState state_of(JobId id) { return store_->queries().get(id).value().value().state; }

  PostgresSetting setting_;
  std::unique_ptr<Store> store_ = setting_.open();
  Timestamp now_ = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10);
};

TEST_F(PostgresStore, opens_again_with_everything_in_it) {
  const JobId id = add();
  const auto again = setting_.open();
  EXPECT_EQ(again->identity(), store_->identity());
  EXPECT_TRUE(again->queries().get(id).value());
}

TEST_F(PostgresStore, its_schema_goes_down_and_up_again) {
  const auto connection = setting_.connect();
  ASSERT_TRUE(revert_postgres_schema(*connection, 0));
  EXPECT_EQ(setting_.number(fmt::format("select count(*) from pg_class join pg_namespace n on n.oid = "
                                        "relnamespace where nspname = '{}' and relkind in ('r', 'S') and "
                                        "relname <> '_sluice_migration'",
                                        setting_.schema())),
            0);
  const auto up = setting_.open();
  EXPECT_NE(up->identity(), store_->identity());
}

TEST_F(PostgresStore, refuses_a_schema_of_a_newer_program) {
  setting_.execute("update _sluice_migration set version = 99");
  const auto opened = open_postgres_store(Secret(setting_.url()), {.schema = setting_.schema()});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_THAT(opened.error().message, HasSubstr("newer"));
}

TEST_F(PostgresStore, keeps_text_that_is_no_text) {
  using namespace std::string_literals;
  NewJob odd = job();
  odd.subject = "a\0b\xff\xc3\xa9"s;
  const JobId id = add(odd);
  EXPECT_EQ(store_->queries().get(id).value()->subject,
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xc3\xa9");
  const auto claimed = claim(*store_, "n1").value();
  ASSERT_EQ(claimed.size(), 1u);
  const LogLine line{.job = id, .at = now_, .text = "\xfe\0"s};
  ASSERT_TRUE(store_->jobs().append_log(claimed[0].lease, std::span(&line, 1)));
  const Completion failed{
      .lease = claimed[0].lease, .to = JobState::failed, .error = JobError{"io", "\xff\0"s}};
  EXPECT_TRUE(store_->jobs().complete(std::span(&failed, 1), now_).value().at(0));
  EXPECT_EQ(store_->queries().history(id).value().size(), 3u);
}

TEST_F(PostgresStore, nodes_tell_their_clocks_and_who_is_silent) {
  const Node self = store_->nodes().nodes().value().at(0);
  ASSERT_TRUE(self.clock_skew);
  EXPECT_LT(std::chrono::abs(*self.clock_skew), kMostSkew) << "one machine has one clock";
  EXPECT_FALSE(self.expired);
  // Of another one, as the own row is written by each heartbeat.
  setting_.execute(
      "insert into node (id, name, pid, version, workers, started_at, expires_at, skew_us) select 'silent', "
      "name, pid, version, workers, started_at, now() - interval '1 second', 61000000 from node where id = "
      "'n1'");
  const auto nodes = store_->nodes().nodes().value();
  const auto silent = std::ranges::find(nodes, "silent", &Node::id);
  ASSERT_NE(silent, nodes.end());
  EXPECT_EQ(silent->clock_skew, 61s);
  EXPECT_TRUE(silent->expired);
}

TEST_F(PostgresStore, keeps_what_living_nodes_declare) {
  SharedDefinitions* const shared = shared_definitions(*store_);
  ASSERT_NE(shared, nullptr);
  const auto before = shared->state("n1").value();
  const std::vector<Declaration> files = {{"a.loader.yaml", "1"}, {"b.loader.yaml", "2"}};
  ASSERT_TRUE(shared->declare("n2", files));
  EXPECT_TRUE(shared->declared_elsewhere("n1").value().empty()) << "n2 is not there yet";
  join(*store_, "n2");
  auto found = shared->declared_elsewhere("n1").value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].path, "b.loader.yaml");
  EXPECT_EQ(found[1].hash, "2");
  EXPECT_EQ(found[1].node, "host");
  EXPECT_TRUE(shared->declared_elsewhere("n2").value().empty());
  EXPECT_NE(shared->state("n1").value(), before);
  EXPECT_EQ(shared->state("n2").value(), before) << "its own are no news to it";
  ASSERT_TRUE(shared->declare("n2", std::span(files).first(1)));
  EXPECT_EQ(shared->declared_elsewhere("n1").value().size(), 1u);
  ASSERT_TRUE(store_->nodes().leave("n2", now_));
  EXPECT_EQ(shared->state("n1").value(), before);
}

TEST_F(PostgresStore, many_workers_take_each_job_once_and_keys_never_overlap) {
  constexpr int kJobs = 400;
  std::vector<NewJob> jobs(kJobs, job());
  for (int i = 0; i < kJobs; i += 2)
    jobs[static_cast<std::size_t>(i)].exclusive_key = "k" + std::to_string(i % 7);
  ASSERT_TRUE(store_->jobs().enqueue(jobs, now_));
  std::mutex mutex;
  std::set<std::int64_t> taken;
  std::multiset<std::string> running;
  int overlaps = 0, doubles = 0;
  const auto work = [&](int number) {
    const auto store = setting_.open();
    const std::string node = "w" + std::to_string(number);
    join(*store, node);
    for (;;) {
      const auto claimed = claim(*store, node, 1 + number * 3).value();
      std::vector<Completion> ends;
      {
        std::lock_guard lock(mutex);
        for (const Claimed& one : claimed) {
          doubles += taken.insert(one.job.id.value()).second ? 0 : 1;
          if (!one.job.exclusive_key.empty()) {
            overlaps += running.contains(one.job.exclusive_key) ? 1 : 0;
            running.insert(one.job.exclusive_key);
          }
          ends.push_back({.lease = one.lease});
        }
        if (claimed.empty() && taken.size() == kJobs) return;
        for (const Claimed& one : claimed) running.erase(one.job.exclusive_key);
      }
      if (ends.empty()) continue;
      const auto ended = store->jobs().complete(ends, now_).value();
      for (const auto& state : ended) EXPECT_TRUE(state);
    }
  };
  {
    std::vector<std::jthread> workers;
    workers.reserve(4);
    for (int i = 0; i < 4; ++i) workers.emplace_back(work, i);
  }
  EXPECT_EQ(doubles, 0);
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(store_->queries().counts().value()[static_cast<std::size_t>(JobState::succeeded)], kJobs);
  EXPECT_EQ(setting_.number("select count(*) from ready"), 0);
  EXPECT_EQ(setting_.number("select count(*) from lease"), 0);
}

TEST_F(PostgresStore, a_tick_fires_once_however_many_nodes_race_for_it) {
  RecurringSpec spec;
  spec.id = "r";
  spec.kind = "load";
  spec.phrase = "every hour";
  ASSERT_TRUE(store_->recurring().upsert(
      std::span(&spec, 1), [&](const Recurring&) { return FirePlan{.next_fire_at = now_}; }, now_));
  std::atomic<int> fired{0};
  {
    std::vector<std::jthread> nodes;
    nodes.reserve(4);
    for (int i = 0; i < 4; ++i) {
      nodes.emplace_back([&] {
        const auto store = setting_.open();
        for (int hour = 0; hour < 25; ++hour) {
          const Timestamp now = now_ + std::chrono::hours(hour);
          const auto plan = [&](const Recurring& recurring) {
            return FirePlan{.ticks = {{*recurring.next_fire_at, true}},
                            .next_fire_at = *recurring.next_fire_at + 1h};
          };
          const auto ticks = store->recurring().fire_due(plan, 10, now);
          ASSERT_TRUE(ticks) << ticks.error().describe();
          fired += static_cast<int>(ticks->size());
        }
      });
    }
  }
  EXPECT_EQ(fired, 25);
}

TEST_F(PostgresStore, a_node_that_is_silent_for_30_seconds_is_dead_and_may_come_back) {
  const auto other = setting_.open();
  join(*other, "n2");
  const JobId id = add();
  const auto held = claim(*other, "n2").value();
  ASSERT_EQ(held.size(), 1u);
  EXPECT_GT(
      setting_.number("select extract(epoch from expires_at - now())::bigint from node where id = 'n2'"), 24);
  EXPECT_TRUE(store_->nodes().rescue_dead(now_).value().empty());
  setting_.execute("update node set expires_at = now() - interval '1 second' where id = 'n2'");
  EXPECT_TRUE(claim(*other, "n2").value().empty()) << "it is dead and does not know it";
  const auto rescued = store_->nodes().rescue_dead(now_).value();
  ASSERT_EQ(rescued.size(), 1u);
  EXPECT_EQ(rescued[0].job, id);
  const Completion late{.lease = held[0].lease};
  EXPECT_FALSE(other->jobs().complete(std::span(&late, 1), now_).value().at(0)) << "its late word is refused";
  EXPECT_EQ(state_of(id), JobState::enqueued);
  EXPECT_EQ(store_->queries().get(id).value()->crashes, 1);
}

TEST_F(PostgresStore, jobs_of_a_node_without_a_row_are_taken_back) {
  const JobId id = add();
  // Not joined: nobody says for it that it lives, and puts its row back.
  setting_.execute(
      "insert into node (id, name, pid, version, workers, started_at, expires_at) values ('gone', '', 1, '', "
      "1, "
      "0, now() + interval '1 hour')");
  ASSERT_EQ(claim(*store_, "gone").value().size(), 1u);
  setting_.execute("delete from node where id = 'gone'");
  const auto other = setting_.open();
  EXPECT_EQ(other->nodes().rescue_dead(now_).value().size(), 1u);
  EXPECT_EQ(state_of(id), JobState::enqueued);
}

TEST_F(PostgresStore, what_became_urgent_is_seen_behind_a_full_claim) {
  for (int i = 0; i < 4; ++i) add();
  ASSERT_EQ(claim(*store_, "n1", 2).value().size(), 2u);
  NewJob urgent = job();
  urgent.priority = 1;
  const JobId id = add(urgent);
  EXPECT_EQ(claim(*store_, "n1", 1).value().at(0).job.id, id);
  // From elsewhere it may come after others, but it comes.
  ASSERT_EQ(claim(*store_, "n1", 1).value().size(), 1u);
  const auto other = setting_.open();
  const JobId late = other->jobs().enqueue(std::span(&urgent, 1), now_).value().at(0).id;
  std::set<JobId> rest;
  const auto claimed = claim(*store_, "n1", 5).value();
  for (const Claimed& one : claimed) rest.insert(one.job.id);
  EXPECT_EQ(rest.size(), 2u);
  EXPECT_TRUE(rest.contains(late));
}

TEST_F(PostgresStore, a_job_that_waits_although_it_is_leased_holds_up_nobody) {
  const JobId broken = add(), good = add();
  setting_.execute("insert into lease (job, token, node, attempt, started_at, claim) values (" +
                   std::to_string(broken.value()) + ", 7, 'gone', 1, 0, '')");
  const auto claimed = claim(*store_, "n1").value();
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed.front().job.id, good);
}

TEST_F(PostgresStore, others_are_woken_at_once) {
  const auto other = setting_.open();
  join(*other, "n2");
  std::mutex mutex;
  std::condition_variable heard;
  int times = 0;
  other->nodes().on_change_elsewhere([&] {
    std::lock_guard lock(mutex);
    ++times;
    heard.notify_all();
  });
  std::unique_lock lock(mutex);
  heard.wait(lock, [&] { return times > 0; });  // it begins to listen
  const int before = times;
  lock.unlock();
  add();
  lock.lock();
  heard.wait(lock, [&] { return times > before; });
  lock.unlock();
  other->nodes().on_change_elsewhere({});
}

// On servers of their own: other tests use the shared one at the same time.
TEST(PostgresServer, may_cut_connections_and_may_go_and_come_back) {
  test::PostgresServer server;
  PostgresSetting setting(server.url());
  const auto store = setting.open();
  const Timestamp now = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10);
  ASSERT_TRUE(store->nodes().join({.id = "n1", .name = "host", .started_at = now}));
  NewJob job;
  job.kind = "load";
  ASSERT_TRUE(store->jobs().enqueue(std::span(&job, 1), now));
  for (int i = 0; i < 3; ++i) {
    setting.execute(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = 'sluice "
        "jobs' and pid <> pg_backend_pid()");
    const auto counts = store->queries().counts();
    EXPECT_TRUE(counts) << counts.error().describe();
  }
  server.restart();
  const auto claimed = store->jobs().claim({.node = "n1", .limit = 5, .kinds = {"load"}}, now);
  ASSERT_TRUE(claimed) << claimed.error().describe();
  EXPECT_EQ(claimed->size(), 1u);
}

}  // namespace
}  // namespace sluice::jobs
