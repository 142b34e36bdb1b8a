// A store with millions of finished jobs: how long each question of the page takes. And ten thousand
// schedules: how late their handlers start.
#include "base/clock.h"
#include "jobs/engine.h"
#include "ours.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace sluice::bench {
namespace {

// Finished jobs of the last week: of each 20, one failed; 50 subjects; two kinds.
std::string many_jobs(bool postgres, int count, Timestamp now) {
  const std::int64_t end = now.time_since_epoch().count();
  const std::string numbers = postgres ? fmt::format("generate_series(1::bigint, {}) as n(i)", count)
                                       : fmt::format(
                                             "(with recursive n(i) as (select 1 union all select i + 1 "
                                             "from n where i < {}) select i from n) as n",
                                             count);
  std::string script = fmt::format(
      "insert into job (kind, subject, name, queue, state, origin, priority, created_at, run_at, started_at, "
      "finished_at, duration_ms, attempt, max_attempts, lease, node, started_by, retry, args, result, "
      "history) "
      "select case when i / 50 % 10 = 0 then 'undo' else 'load' end, 'S' || (i % 50), 'S' || (i % 50), "
      "'default', "
      "case when i / 50 % 20 = 7 then 6 else 5 end, 0, 5, {1} - ({0} - i) * 300000, {1} - ({0} - i) * "
      "300000, "
      "{1} - ({0} - i) * 300000, {1} - ({0} - i) * 300000 + 5000, 5, 1, 1, 1, 'bench', '', '{3}', '{{}}', "
      "'{{\"read\":249}}', '[1, 0, 0, \"\", \"\"]' from {2};",
      count, end, numbers, jobs::to_json(jobs::RetryPolicy::none()));
  for (const int state : {5, 6}) {
    const int share = state == 6 ? count / 20 : count - count / 20;
    script += postgres ? fmt::format("insert into tally (state, n) values ({}, {});", state, share)
                       : fmt::format("update job_count set n = n + {1} where state = {0};", state, share);
  }
  return script +
         "insert into job_minute (minute, state, n, ms, amount) select m.minute, 5, 200, 1000, 0 from "
         "(select "
         "distinct finished_at / 60000000 * 60000000 as minute from job) as m;" +
         (postgres ? "vacuum analyze job;" : "");
}

template <class F>
void time(std::string_view what, const Place& place, const F& ask) {
  constexpr int kTimes = 50;
  std::vector<double> times;
  for (int i = 0; i < kTimes; ++i) {
    const auto begun = Steady::now();
    must(ask());
    times.push_back(ms(Steady::now() - begun));
  }
  say_times(fmt::format("sluice on {}: {}", place.name(), what), std::move(times));
}

}  // namespace

void scale(const std::string& url, int count) {
  using jobs::JobState;
  const SystemClock clock;
  const Place place(url);
  const auto store = place.open();
  const Timestamp now = clock.now();
  std::string script = many_jobs(place.postgres(), count, now);
  // vacuum wants to be alone
  if (const auto vacuum = script.find("vacuum"); vacuum != std::string::npos) {
    place.execute(script.substr(0, vacuum));
    place.execute(script.substr(vacuum));
  } else {
    place.execute(script);
  }
  auto& queries = store->queries();
  const auto list = [&](std::string_view what, const jobs::JobFilter& filter) {
    time(fmt::format("list, {}", what), place, [&] { return queries.list(filter); });
  };
  list("all", {});
  list("succeeded", {.states = {JobState::succeeded}});
  list("failed", {.states = {JobState::failed}});
  list("processing", {.states = {JobState::processing}});
  list("a subject", {.subject = "S7"});
  list("a subject that is unknown", {.subject = "nobody"});
  list("failed of a subject", {.states = {JobState::failed}, .subject = "S20"});
  list("a kind", {.kind = "undo"});
  list("a kind and a subject", {.subject = "S20", .kind = "undo"});
  list("a kind and a subject that never meet", {.subject = "S7", .kind = "mail"});
  list("a queue", {.queue = "default"});
  list("a page in the middle", {.states = {JobState::succeeded}, .before = JobId(count / 2)});
  list("the oldest", {.states = {JobState::failed}, .oldest_first = true});
  time("counts", place, [&] { return queries.counts(); });
  time("minutes of an hour", place, [&] { return queries.minutes(now - std::chrono::hours(1)); });
  time("minutes of a day", place, [&] { return queries.minutes(now - std::chrono::hours(24)); });
  std::vector<std::string> subjects;
  for (int i = 0; i < 50; ++i) subjects.push_back(fmt::format("S{}", i));
  time("recent of 50 subjects", place, [&]() -> Result<void> {
    return queries.recent({.kind = "load",
                           .subjects = subjects,
                           .states = {JobState::succeeded, JobState::failed},
                           .per_subject = 1},
                          [](const jobs::RecentJob&) {});
  });
  time("one job", place, [&] { return queries.get(JobId(count / 2)); });
  time("its history", place, [&] { return queries.history(JobId(count / 2)); });
  time("retention, nothing to forget", place, [&] { return store->upkeep().trim({}, 500, now); });
}

void recurring(const std::string& url, int seconds) {
  constexpr int kSchedules = 10'000, kPeriod = 20;  // 500 a second
  SystemClock clock;
  const Place place(url);
  const auto store = place.open();
  std::mutex mutex;
  std::vector<double> late;
  const Timestamp from = clock.now() + std::chrono::seconds(3);
  jobs::Engine engine(*store, clock, {.workers = 4});
  engine.register_handler("noop",
                          [&](jobs::JobContext& context, std::stop_token) -> Result<jobs::JobOutcome> {
                            const Timestamp now = clock.now();
                            const Timestamp fire_at = context.job().fire_at.value_or(now);
                            if (fire_at < from) return jobs::JobOutcome{};
                            std::lock_guard lock(mutex);
                            late.push_back(std::chrono::duration<double, std::milli>(now - fire_at).count());
                            return jobs::JobOutcome{};
                          });
  std::vector<jobs::RecurringSpec> specs(kSchedules);
  for (int i = 0; i < kSchedules; ++i) {
    auto& spec = specs[static_cast<std::size_t>(i)];
    spec.id = fmt::format("noop:{}", i);
    spec.kind = "noop";
    spec.subject = fmt::format("N{}", i);
    spec.phrase = fmt::format("{}/{} * * * * *", i % kPeriod, kPeriod);
  }
  must(engine.upsert_recurring(specs));
  must(engine.start());
  const auto enough = static_cast<std::size_t>(seconds) * kSchedules / kPeriod;
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    std::lock_guard lock(mutex);
    if (late.size() >= enough || clock.now() > from + std::chrono::seconds(seconds * 3)) break;
  }
  engine.stop();
  say_times(fmt::format("sluice on {}: 10,000 schedules, 500 fires a second, lateness", place.name()), late);
}

}  // namespace sluice::bench
