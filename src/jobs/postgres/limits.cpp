// Keys that limit how many jobs run, on PostgreSQL. The row of a key's rule is locked while one of its jobs
// is taken, so that nobody counts what another one is about to change. A job that has to wait is put aside;
// whoever frees the key looks, after its commit, for the next one to let back, and so does whoever put one
// aside: of two that just miss each other, one sees what the other did.
#include "jobs/postgres/parts.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <ranges>

namespace sluice::jobs {
namespace {

constexpr std::string_view kReleaseKeys =
    "n as materialized (select b.job from keys cross join lateral (select r.job from ready r where "
    "r.exclusive_key = keys.v and r.blocked = 1 and not exists (select 1 from queue q where q.name = r.queue "
    "and q.paused_at is not null) order by r.priority, r.run_at, r.job limit 1 for update skip locked) b "
    "where not exists (select 1 from lease h where h.exclusive_key = keys.v) and 100 > (select count(*) from "
    "(select 1 from ready o where o.blocked = 0 and o.exclusive_key = keys.v limit 100) as offered)), ";
// As many as the rule has room for, without those that are offered already. Only a hint: whether a job may
// start is decided when it is claimed. One more than that where {0} is 1, as what is offered may be for
// nobody here.
constexpr std::string_view kReleaseLimits =
    "n as materialized (select b.job from keys join limit_rule k on k.key = keys.v cross join lateral "
    "(select "
    "least(nullif(k.at_once, 0) - (select count(*) from lease h where h.limit_key = keys.v), "
    "nullif(k.starts, "
    "0) - (select count(*) from limit_start s where s.key = keys.v and s.at > ?2::bigint - k.window_ms * "
    "1000)) as room, (select count(*) from ready o where o.limit_key = keys.v and o.blocked = 0) as offered) "
    "m cross join lateral (select r.job from ready r where r.limit_key = keys.v and r.blocked = 2 and not "
    "exists (select 1 from queue q where q.name = r.queue and q.paused_at is not null) order by r.priority, "
    "r.run_at, r.job limit greatest(0, m.room - m.offered, case when m.offered < m.room + 100 then "
    "least(m.room, {0}) else 0 end) for update skip locked) b), ";
constexpr std::string_view kReleased =
    "u as (update ready r set blocked = 0 from n where r.job = n.job returning r.job) select count(*), case "
    "when count(*) > 0 then {} end from u";
constexpr std::string_view kTheseKeys =
    "with keys(v) as (select unnest(?1::text[]) where ?2::bigint is not null), ";
constexpr std::string_view kEveryBlocked =
    "with recursive keys(v) as ((select {0} from ready where blocked = {1} and {0} is not null order by {0} "
    "limit 1) union all select (select {0} from ready where blocked = {1} and {0} is not null and {0} > "
    "keys.v order by {0} limit 1) from keys where keys.v is not null and ?1::text is null and ?2::bigint is "
    "not null), ";

struct Rule {
  int room = std::numeric_limits<int>::max();
  int starts = 0;
  std::chrono::milliseconds window{0};
};

// Locks the rule and counts.
Result<Rule> rule_of(Database& database, std::string_view key, Timestamp now) {
  Rule rule;
  int at_once = 0;
  bool free = false;
  SLUICE_CHECK(database.each(
      "select at_once, starts, window_ms from limit_rule where key = ? for no key update skip "
      "locked",
      [&](const Row& row) -> Result<void> {
        free = true;
        at_once = static_cast<int>(row.integer(0));
        rule.starts = static_cast<int>(row.integer(1));
        rule.window = std::chrono::milliseconds(row.integer(2));
        return {};
      },
      key));
  if (!free) {
    bool there = false;
    SLUICE_CHECK(database.each(
        "select 1 from limit_rule where key = ?",
        [&](const Row&) -> Result<void> {
          there = true;
          return {};
        },
        key));
    if (!there) return rule;  // nothing limits it
    // Somebody else takes one of its jobs, or changes the rule: with the next claim, or the next look.
    rule.room = 0;
    return rule;
  }
  const auto less = [&](int most) {
    return [&rule, most](const Row& row) -> Result<void> {
      rule.room = std::min(rule.room, std::max(0, most - static_cast<int>(row.integer(0))));
      return {};
    };
  };
  if (at_once > 0)
    SLUICE_CHECK(database.each("select count(*) from lease where limit_key = ?", less(at_once), key));
  if (rule.starts > 0) {
    SLUICE_CHECK(database.run("delete from limit_start where key = ? and at <= ?", key, now - rule.window));
    SLUICE_CHECK(database.each("select count(*) from limit_start where key = ?", less(rule.starts), key));
  }
  return rule;
}

struct Special {
  JobId job;
  std::string exclusive_key, limit_key;
  int attempt = 0;
  bool late = false;
  std::int64_t latency_ms = 0;
};

Result<std::vector<Special>> lock_special(Database& database, const ClaimRequest& request,
                                          std::string_view jobs, Timestamp now) {
  std::vector<Special> found;
  SLUICE_CHECK(database.each(
      "select r.job, r.exclusive_key, r.limit_key, r.attempt, coalesce(r.latest < ?2::bigint, false), "
      "coalesce((r.latest - r.run_at) / 1000, 0) from ready r where r.job = any(?1::bigint[]) and r.blocked "
      "= 0 and exists (select 1 from node where id = ?3 and expires_at > now()) order by r.priority, "
      "r.run_at, r.job for update of r skip locked",
      [&](const Row& row) -> Result<void> {
        found.push_back({JobId(row.integer(0)), row.text(1), row.text(2), static_cast<int>(row.integer(3)),
                         row.integer(4) != 0, row.integer(5)});
        return {};
      },
      fmt::format("{{{}}}", jobs), now, request.node));
  return found;
}

std::string array_of(const std::vector<JobId>& jobs) {
  std::string text = "{";
  for (const JobId job : jobs) text += fmt::format("{}{}", text.size() > 1 ? "," : "", job.value());
  return text + "}";
}

Result<void> drop_late(Database& database, Tally& tally, const Special& job, Timestamp now) {
  const std::string why = late_reason(std::chrono::milliseconds(job.latency_ms));
  SLUICE_CHECK(database.run("delete from ready where job = ?", job.job));
  SLUICE_CHECK(database.run(
      "update job set state = ?, finished_at = ?, reason = ?, history = history || ? where id = ?",
      JobState::deleted, now, why, history_line(JobState::deleted, now, job.attempt, {}, why), job.job));
  return tally.step(job.job, JobState::enqueued, JobState::deleted);
}

// Who may run, of those that are there; notes what happens to the rest.
struct Sorted {
  std::vector<JobId> take, wait_for_key, wait_for_limit;
};

Result<Sorted> sort(Database& database, Tally& tally, std::span<const Special> jobs,
                    std::map<std::string, Rule>& rules, std::optional<int> room_of_queue, Timestamp now) {
  for (const Special& job : jobs) {
    if (!job.limit_key.empty()) rules.emplace(job.limit_key, Rule{});
  }
  // In the order of the keys: two that lock rules do not wait for each other in a circle.
  for (auto& [key, rule] : rules) {
    SLUICE_TRY(rule, rule_of(database, key, now));
  }
  Sorted sorted;
  std::set<std::string> keys;
  int room = room_of_queue.value_or(std::numeric_limits<int>::max());
  for (const Special& job : jobs) {
    if (job.late) {
      SLUICE_CHECK(drop_late(database, tally, job, now));
      continue;
    }
    if (room == 0) continue;
    if (!job.exclusive_key.empty() && keys.contains(job.exclusive_key)) {
      sorted.wait_for_key.push_back(job.job);
      continue;
    }
    if (!job.limit_key.empty()) {
      Rule& rule = rules.at(job.limit_key);
      if (rule.room == 0) {
        sorted.wait_for_limit.push_back(job.job);
        continue;
      }
      --rule.room;
    }
    if (!job.exclusive_key.empty()) keys.insert(job.exclusive_key);
    sorted.take.push_back(job.job);
    --room;
  }
  return sorted;
}

Result<void> put_aside(Database& database, std::string_view jobs, int by) {
  SLUICE_CHECK(database.run(
      "update ready set blocked = ?1 where job in (select job from ready where job = any(?2::bigint[]) and "
      "blocked = 0 order by job for update skip locked)",
      by, jobs));
  return {};
}

// When the oldest start that counts leaves the window, while somebody waits for that.
Result<void> plan_wakes(Database& database, const std::map<std::string, Rule>& rules) {
  for (const auto& [key, rule] : rules) {
    if (rule.starts == 0) continue;
    SLUICE_CHECK(database.run(
        "update limit_rule set wake_at = case when exists (select 1 from ready where limit_key = ?1 and "
        "blocked = 2) then (select min(at) from limit_start where key = ?1) + window_ms * 1000 end where key "
        "= ?1",
        key));
  }
  return {};
}

}  // namespace

FreedKeys keys_of(std::span<const NewJob> jobs) {
  FreedKeys keys;
  for (const NewJob& job : jobs) keys.add(job.exclusive_key, job.limit_key);
  return keys;
}

Result<void> save_rules(Database& database, std::span<const NewJob> jobs) {
  std::map<std::string, KeyLimit> rules;
  for (const NewJob& job : jobs) {
    if (!job.limit_key.empty()) rules[job.limit_key] = job.limit;
  }
  for (const auto& [key, limit] : rules) {
    // A rule that is there already is locked only against being forgotten: the caller's transaction may last.
    bool same = false;
    SLUICE_CHECK(database.each(
        "select 1 from limit_rule where key = ? and at_once = ? and starts = ? and window_ms = ? for key "
        "share",
        [&](const Row&) -> Result<void> {
          same = true;
          return {};
        },
        key, limit.at_once, limit.starts, limit.window.count()));
    if (same) continue;
    SLUICE_CHECK(database.run(
        "insert into limit_rule (key, at_once, starts, window_ms) values (?, ?, ?, ?) on conflict (key) do "
        "update set at_once = excluded.at_once, starts = excluded.starts, window_ms = excluded.window_ms",
        key, limit.at_once, limit.starts, limit.window.count()));
  }
  return {};
}

Result<int> PostgresJobStore::release(const FreedKeys& keys, Timestamp now) {
  std::int64_t released = 0, change = 0;
  const auto run = [&](const std::set<std::string>& names, std::string_view find) -> Result<void> {
    if (names.empty()) return {};
    return pool_.once([&](Database& database) -> Result<void> {
      return database.each(
          std::string(kTheseKeys) + std::string(find) + fmt::format(kReleased, pool_.touching()),
          [&](const Row& row) -> Result<void> {
            released += row.integer(0);
            change = row.integer(1);
            return {};
          },
          array_text({names.begin(), names.end()}), now);
    });
  };
  SLUICE_CHECK(run(keys.exclusive_keys, kReleaseKeys));
  SLUICE_CHECK(run(keys.limit_keys, fmt::format(kReleaseLimits, 0)));
  if (released > 0) {
    forget_mark();
    pool_.touched(change);
  }
  return static_cast<int>(released);
}

Result<int> PostgresJobStore::release_waiting(Timestamp now) {
  std::int64_t released = 0, change = 0;
  const auto run = [&](std::string_view column, int by, std::string_view find) {
    return pool_.once([&](Database& database) -> Result<void> {
      return database.each(
          fmt::format(kEveryBlocked, column, by) + std::string(find) +
              fmt::format(kReleased, pool_.touching()),
          [&](const Row& row) -> Result<void> {
            released += row.integer(0);
            change = row.integer(1);
            return {};
          },
          std::nullopt, now);
    });
  };
  SLUICE_CHECK(run("exclusive_key", 1, kReleaseKeys));
  SLUICE_CHECK(run("limit_key", 2, fmt::format(kReleaseLimits, 1)));
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    SLUICE_CHECK(
        database.run("update limit_rule set wake_at = null where key in (select key from limit_rule where "
                     "wake_at <= ? order "
                     "by key for no key update skip locked)",
                     now));
    return {};
  }));
  if (released > 0) {
    forget_mark();
    pool_.touched(change);
  }
  return static_cast<int>(released);
}

Result<void> PostgresJobStore::leave_to_their_keys(std::string_view jobs, Timestamp now) {
  FreedKeys keys;
  const std::string array = fmt::format("{{{}}}", jobs);
  SLUICE_CHECK(pool_.once([&](Database& database) -> Result<void> {
    SLUICE_CHECK(put_aside(database, array, 1));
    return database.each(
        "select exclusive_key from ready where job = any(?::bigint[])",
        [&](const Row& row) -> Result<void> {
          keys.add(row.text(0), {});
          return {};
        },
        array);
  }));
  SLUICE_TRY(const int released, release(keys, now));
  static_cast<void>(released);
  return {};
}

Result<std::vector<Claimed>> PostgresJobStore::settle(const ClaimRequest& request, const From& from,
                                                      const Batch& batch, Timestamp now) {
  std::vector<Claimed> claimed;
  if (!batch.special.empty()) {
    SLUICE_TRY(claimed, take_special(request, from, batch.special, now));
  }
  if (!batch.collided.empty()) {
    // What is taken is this node's: an error here is no reason to lose it. They stay where claims meet them.
    if (auto aside = leave_to_their_keys(batch.collided, now); !aside)
      spdlog::warn("jobs with a busy key could not be put aside: {}", aside.error().describe());
  }
  return claimed;
}

Result<std::vector<Claimed>> PostgresJobStore::take_special(const ClaimRequest& request, const From& from,
                                                            std::string_view jobs, Timestamp now) {
  const std::string id = new_claim_id();
  std::vector<Claimed> claimed;
  FreedKeys waited_for;
  const auto done = pool_.write([&](Database& database) -> Result<void> {
    claimed.clear();
    waited_for = {};
    std::optional<int> room;
    if (from.limited) {
      SLUICE_TRY(room, room_of_queue(database, *from.queue));
    }
    SLUICE_TRY(const auto special, lock_special(database, request, jobs, now));
    Tally tally(database, now);
    std::map<std::string, Rule> rules;
    SLUICE_TRY(Sorted sorted, sort(database, tally, special, rules, room, now));
    std::set<JobId> taken;
    SLUICE_CHECK(database.each(
        "with l as (insert into lease (job, token, node, attempt, started_at, exclusive_key, claim, queue, "
        "limit_key) select job, token, ?2, attempt + 1, ?3::bigint, exclusive_key, ?4::text, queue, "
        "limit_key "
        "from ready where job = any(?1::bigint[]) order by exclusive_key nulls first, job on conflict do "
        "nothing returning *), d as (delete from ready r using l where r.job = l.job), s as (insert into "
        "limit_start (key, at, job) select l.limit_key, ?3::bigint, l.job from l join limit_rule k on k.key "
        "= "
        "l.limit_key where k.starts > 0 on conflict do nothing) select job from l",
        [&](const Row& row) -> Result<void> {
          taken.insert(JobId(row.integer(0)));
          return {};
        },
        array_of(sorted.take), request.node, now, id));
    for (const JobId job : taken) SLUICE_CHECK(tally.step(job, JobState::enqueued, JobState::processing));
    for (const JobId job : sorted.take) {
      if (!taken.contains(job)) sorted.wait_for_key.push_back(job);
    }
    SLUICE_CHECK(put_aside(database, array_of(sorted.wait_for_key), 1));
    SLUICE_CHECK(put_aside(database, array_of(sorted.wait_for_limit), 2));
    for (const Special& job : special) {
      if (!taken.contains(job.job)) waited_for.add(job.exclusive_key, job.limit_key);
    }
    SLUICE_CHECK(plan_wakes(database, rules));
    SLUICE_CHECK(tally.close());
    return database.each(
        fmt::format("select {}, l.token from lease l join job j on j.id = l.job where l.node = ? and l.claim "
                    "= ? order by j.priority, j.run_at, j.id",
                    live_job_columns()),
        [&](const Row& row) -> Result<void> {
          Claimed one;
          SLUICE_TRY(one.job, read_job(row));
          one.lease = {one.job.id, row.integer(row.size() - 1)};
          claimed.push_back(std::move(one));
          return {};
        },
        request.node, id);
  });
  if (!done) {
    std::lock_guard lock(mutex_);
    uncertain_claims_.emplace(id, std::chrono::steady_clock::now());
    return std::unexpected(done.error());
  }
  static_cast<void>(release(waited_for, now));
  return claimed;
}

}  // namespace sluice::jobs
