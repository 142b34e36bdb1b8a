// Recurring jobs that are due, on PostgreSQL: a fixed number of statements for all of them.
#include "jobs/postgres/changing.h"
#include "jobs/postgres/parts.h"
#include "jobs/store/recurring_change.h"
#include "sql/transaction.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace sluice::jobs {
namespace {

nlohmann::json micros(const std::optional<Timestamp>& time) {
  return time ? nlohmann::json(time->time_since_epoch().count()) : nlohmann::json();
}

// Nobody waits for the disk here. What a crash of the server takes back, it takes back whole: job, guard and
// next time, and the tick fires again. No job of it can have begun, as the claim's commit, which waits for
// the disk, comes after it in the log.
constexpr std::string_view kNotSynced = "set local synchronous_commit = off";

struct Due {
  Recurring recurring;
  FirePlan decided = {};
  std::optional<Timestamp> last_fire_at = {};
  JobId last_job = {};
};

// One after the other, as the order goes in which their times came. What a tick does depends on the jobs of
// its key that live, those of earlier ticks among them; such a job is written when one of them is asked for.
class Round {
 public:
  Round(PostgresPool& pool, Database& database, Timestamp now)
      : pool_(pool), database_(database), now_(now) {}

  // Those that are due after the last one that was found.
  Result<std::size_t> find(int limit);
  // Without those that somebody's open transaction is in the way of. Returns how many there are.
  Result<std::size_t> leave_held();
  Result<void> fire(const FirePlanner& plan);
  // Times and guards.
  Result<std::int64_t> close();

  bool nothing_done() const { return handled_.empty(); }
  std::vector<Fired> fired;

 private:
  struct Run {
    NewJob job;
    InsertedJob more;
    std::size_t due = 0;
    Timestamp fire_at;
  };
  Result<void> read_live(const std::set<std::string>& keys);
  Result<std::set<std::string>> held_from_cancelling();
  Result<std::set<std::string>> lock_rows();
  Result<void> read_guards();
  Result<void> tick(std::size_t index, const Tick& tick);
  Result<void> cancel(std::vector<Live>& live);
  Result<void> write_runs();

  PostgresPool& pool_;
  Database& database_;
  const Timestamp now_;
  std::optional<std::pair<Timestamp, std::string>> last_;
  std::vector<Due> due_;      // of this page
  std::vector<Due> handled_;  // of the earlier ones
  std::map<std::string, std::vector<Live>>
      live_;  // by key, oldest first; a job without id is not written yet
  std::set<std::pair<std::string, Timestamp>> guarded_;
  std::deque<Run> runs_;    // not written yet
  bool none_lives_ = true;  // of their keys, before them
};

bool meets_others(const RecurringSpec& spec) { return spec.overlap != Overlap::allow; }

Result<std::size_t> Round::find(int limit) {
  due_.clear();
  RetryMemo memo;
  SLUICE_CHECK(database_.each(
      fmt::format("select {} from recurring where next_fire_at is not null and next_fire_at <= ?1 and "
                  "paused_at is null and retired_at is null and "
                  "(next_fire_at, id) > (?2, ?3) order by next_fire_at, id limit ?4",
                  recurring_columns()),
      [&](const Row& row) -> Result<void> {
        Due one;
        SLUICE_TRY(one.recurring, read_recurring(row, &memo));
        one.last_fire_at = one.recurring.last_fire_at;
        one.last_job = one.recurring.last_job;
        due_.push_back(std::move(one));
        return {};
      },
      now_, last_ ? last_->first.time_since_epoch().count() : INT64_MIN, last_ ? last_->second : "", limit));
  if (!due_.empty()) last_ = {*due_.back().recurring.next_fire_at, due_.back().recurring.spec.id};
  return due_.size();
}

Result<std::size_t> Round::leave_held() {
  std::set<std::string> keys;
  for (const Due& one : due_) {
    if (meets_others(one.recurring.spec)) keys.insert(one.recurring.spec.exclusive_key);
  }
  SLUICE_TRY(auto free, try_lock_keys(database_, keys));
  SLUICE_CHECK(read_live(free));
  SLUICE_TRY(const auto held, held_from_cancelling());
  for (const std::string& key : held) free.erase(key);
  const auto by_key = std::erase_if(due_, [&](const Due& one) {
    return meets_others(one.recurring.spec) && !free.contains(one.recurring.spec.exclusive_key);
  });
  SLUICE_TRY(const auto locked, lock_rows());
  return by_key +
         std::erase_if(due_, [&](const Due& one) { return !locked.contains(one.recurring.spec.id); });
}

// Ends lock a job's recurring job before others of theirs: it is ours before a tick cancels a job, or waits
// for nobody.
Result<std::set<std::string>> Round::lock_rows() {
  std::vector<std::string> ids;
  ids.reserve(due_.size());
  for (const Due& one : due_) ids.push_back(one.recurring.spec.id);
  std::set<std::string> locked;
  if (ids.empty()) return locked;
  SLUICE_CHECK(database_.each(
      "select id from recurring where id = any(?::text[]) for no key update skip locked",
      [&](const Row& row) -> Result<void> {
        locked.insert(row.text(0));
        return {};
      },
      array_text(ids)));
  return locked;
}

Result<void> Round::read_live(const std::set<std::string>& keys) {
  std::vector<std::string> unknown;
  for (const std::string& key : keys) {
    if (live_.emplace(key, std::vector<Live>()).second) unknown.push_back(key);
  }
  if (unknown.empty()) return {};
  SLUICE_CHECK(database_.each(
      "select j.id, case when l.job is null then j.state else 2 end, j.attempt, j.run_at, j.exclusive_key "
      "from job j left join lease l on l.job = j.id where j.exclusive_key = any(?1::text[]) and "
      "j.exclusive_key is not null and j.state in (0, 1) and (j.state = 1 or j.attempt > 0 or j.fire_at is "
      "not null)",
      [&](const Row& row) -> Result<void> {
        live_[row.text(4)].push_back({JobId(row.integer(0)), static_cast<JobState>(row.integer(1)),
                                      static_cast<int>(row.integer(2)), row.time(3)});
        return {};
      },
      array_text(unknown)));
  for (const std::string& key : unknown) std::ranges::sort(live_[key], {}, &Live::id);
  return {};
}

// Keys of jobs that a tick would cancel, and that are locked. The locks of this question end with it.
Result<std::set<std::string>> Round::held_from_cancelling() {
  std::map<std::string, std::string> ids;  // and their keys
  for (const Due& one : due_) {
    if (one.recurring.spec.overlap != Overlap::cancel_old) continue;
    const auto live = live_.find(one.recurring.spec.exclusive_key);
    if (live == live_.end()) continue;
    for (const Live& job : live->second) {
      if (job.id) ids.emplace(std::to_string(job.id.value()), live->first);
    }
  }
  std::set<std::string> held;
  if (ids.empty()) return held;
  std::vector<std::string> asked;
  asked.reserve(ids.size());
  for (const auto& [id, key] : ids) asked.push_back(id);
  SLUICE_CHECK(database_.connection().execute("savepoint sluice_look"));
  SLUICE_CHECK(database_.each(
      "select id from job where id = any(?::bigint[]) for update skip locked",
      [&](const Row& row) -> Result<void> {
        ids.erase(std::to_string(row.integer(0)));
        return {};
      },
      array_text(asked)));
  SLUICE_CHECK(database_.connection().execute("rollback to sluice_look; release sluice_look"));
  for (auto& [id, key] : ids) held.insert(std::move(key));
  return held;
}

Result<void> Round::read_guards() {
  nlohmann::json ticks = nlohmann::json::array();
  for (const Due& one : due_) {
    for (const Tick& tick : one.decided.ticks)
      ticks.push_back({{"id", one.recurring.spec.id}, {"at", micros(tick.fire_at)}});
  }
  if (ticks.empty()) return {};
  return database_.each(
      "select f.recurring_id, f.fire_at from json_to_recordset(?::json) as v(id text, at bigint) join fired "
      "f "
      "on f.recurring_id = v.id and f.fire_at = v.at",
      [&](const Row& row) -> Result<void> {
        guarded_.emplace(row.text(0), row.time(1));
        return {};
      },
      ticks.dump());
}

Result<void> Round::fire(const FirePlanner& plan) {
  for (Due& one : due_) one.decided = plan(one.recurring);
  SLUICE_CHECK(read_guards());
  const std::size_t before = handled_.size();
  handled_.insert(handled_.end(), std::make_move_iterator(due_.begin()), std::make_move_iterator(due_.end()));
  for (std::size_t i = before; i < handled_.size(); ++i) {
    for (const Tick& one : handled_[i].decided.ticks) {
      if (guarded_.emplace(handled_[i].recurring.spec.id, one.fire_at).second) SLUICE_CHECK(tick(i, one));
    }
  }
  return write_runs();
}

Result<void> Round::tick(std::size_t index, const Tick& tick) {
  const RecurringSpec& spec = handled_[index].recurring.spec;
  Run run{.job = run_of(spec), .more = {}, .due = index, .fire_at = tick.fire_at};
  run.more.fire_at = tick.fire_at;
  std::vector<Live> nobody;
  auto& live = meets_others(spec) ? live_[spec.exclusive_key] : nobody;
  Encounter encounter = meet(spec, tick, live);
  if ((encounter.cancels || (encounter.blocking && !encounter.blocking->id)) &&
      std::ranges::any_of(live, [](const Live& one) { return !one.id; })) {
    SLUICE_CHECK(write_runs());
    encounter = meet(spec, tick, live);
  }
  run.more.reason = encounter.reason;
  if (encounter.blocking) {
    run.more.state = JobState::skipped;
    run.more.blocking_job = encounter.blocking->id;
  } else {
    run.more.run_at = jittered(spec, tick.fire_at);
    if (*run.more.run_at > now_) run.more.state = JobState::scheduled;
  }
  if (encounter.cancels) SLUICE_CHECK(cancel(live));
  if (!encounter.blocking && !live.empty()) none_lives_ = false;
  if (!encounter.blocking && meets_others(spec))
    live.push_back({JobId(), run.more.state, 0, std::max(*run.more.run_at, now_)});
  runs_.push_back(std::move(run));
  return {};
}

Result<void> Round::cancel(std::vector<Live>& live) {
  std::vector<Live> stopping;  // they live until they have stopped
  for (const Live& old : live) {
    SLUICE_TRY(const Cancelled cancelled, cancel_one(database_, old.id, kCancelledByTick, now_));
    if (cancelled == Cancelled::requested) stopping.push_back(old);
  }
  live = std::move(stopping);
  return {};
}

Result<void> Round::write_runs() {
  if (runs_.empty()) return {};
  std::vector<PostgresNewJob> given;
  given.reserve(runs_.size());
  for (const Run& run : runs_) given.push_back({&run.job, run.more});
  SLUICE_TRY(const auto ids, insert_jobs(pool_, database_, given, now_, false, none_lives_));
  none_lives_ = true;
  nlohmann::json guards = nlohmann::json::array();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Run& run = runs_[i];
    Due& due = handled_[run.due];
    const RecurringSpec& spec = due.recurring.spec;
    due.last_fire_at = run.fire_at;
    if (run.more.state != JobState::skipped) due.last_job = ids[i];
    if (run.more.state != JobState::skipped && meets_others(spec)) {
      auto& live = live_[spec.exclusive_key];
      const auto written = std::ranges::find(live, JobId(), &Live::id);
      if (written != live.end()) written->id = ids[i];
    }
    guards.push_back({{"id", spec.id}, {"at", micros(run.fire_at)}, {"job", ids[i].value()}});
    fired.push_back({spec.id, spec.subject, run.fire_at, ids[i], run.more.state});
  }
  runs_.clear();
  SLUICE_CHECK(database_.run(
      "insert into fired (recurring_id, fire_at, job) select id, at, job from json_to_recordset(?::json) as "
      "v(id text, at bigint, job bigint)",
      guards.dump()));
  return {};
}

Result<std::int64_t> Round::close() {
  nlohmann::json times = nlohmann::json::array(), old = nlohmann::json::array();
  for (const Due& one : handled_) {
    const RecurringSpec& spec = one.recurring.spec;
    const bool fires_on = one.decided.error.empty();
    times.push_back({{"id", spec.id},
                     {"next", fires_on ? micros(one.decided.next_fire_at) : nlohmann::json()},
                     {"fired", micros(one.last_fire_at)},
                     {"job", one.last_job ? nlohmann::json(one.last_job.value()) : nlohmann::json()},
                     {"error", storable(one.decided.error)}});
    // The guard rows behind the horizon, of this one only (never a scan of them all), and not with every tick
    // of one that fires each second.
    const auto hour = [](const std::optional<Timestamp>& time) {
      return time ? std::chrono::floor<std::chrono::hours>(*time) : Timestamp::min();
    };
    if (hour(one.last_fire_at) != hour(one.recurring.last_fire_at)) {
      old.push_back({{"id", spec.id}, {"at", micros(now_ - spec.catch_up_window - kRememberFired)}});
    }
  }
  if (!old.empty()) {
    SLUICE_CHECK(
        database_.run("delete from fired f using json_to_recordset(?::json) as v(id text, at bigint) where "
                      "f.recurring_id = "
                      "v.id and f.fire_at < v.at",
                      old.dump()));
  }
  std::int64_t change = 0;
  SLUICE_CHECK(database_.each(
      fmt::format(
          // Paused meanwhile, by a failed run: it stays so.
          "with u as (update recurring r set next_fire_at = case when r.paused_at is null and r.retired_at "
          "is "
          "null then v.next end, last_fire_at = v.fired, last_job = "
          "v.job, error = v.error from json_to_recordset(?::json) as v(id text, next bigint, fired "
          "bigint, job bigint, error text) where r.id = v.id) select {}",
          pool_.touching()),
      [&](const Row& row) -> Result<void> {
        change = row.integer(0);
        return {};
      },
      times.dump()));
  return change;
}

}  // namespace

Result<std::vector<Fired>> PostgresRecurringStore::fire_due(const FirePlanner& plan, int limit,
                                                            Timestamp now) {
  std::int64_t change = 0;
  auto fired = pool_.once([&](Database& database) -> Result<std::vector<Fired>> {
    change = 0;
    SLUICE_TRY(auto transaction, sql::Transaction::begin(database.connection()));
    SLUICE_CHECK(alone(database));
    SLUICE_CHECK(database.connection().execute(kNotSynced));
    Round round(pool_, database, now);
    for (int room = limit; room > 0;) {
      SLUICE_TRY(const std::size_t found, round.find(room));
      SLUICE_TRY(const std::size_t held, round.leave_held());
      SLUICE_CHECK(round.fire(plan));
      // Those that are held take nobody's place.
      if (held == 0 || static_cast<int>(found) < room) break;
      room = static_cast<int>(held);
    }
    // What is held would have nodes wake each other without end.
    if (round.nothing_done()) return std::vector<Fired>();
    SLUICE_TRY(change, round.close());
    SLUICE_CHECK(transaction.commit());
    return std::move(round.fired);
  });
  if (fired && change != 0) pool_.touched(change);
  return fired;
}

}  // namespace sluice::jobs
