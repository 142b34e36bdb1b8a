// What the page asks, on PostgreSQL.
#include "jobs/postgres/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace sluice::jobs {
namespace {

constexpr int kMostListed = 1000;
constexpr int kMostPerSubject = 100;
// Results are read in parts of so many jobs, so that thousands are never in memory at once.
constexpr std::size_t kResultsAtOnce = 256;

// The index that leads straight to what is wanted, by its first column, which is compared with a parameter:
// after it come state and id. Nothing = (state, id).
struct Way {
  std::string_view column;
  int parameter = 0;
  std::string_view partial = {};  // what the index is limited to
  std::string_view type = "text";
  bool by_kind = false;  // the kind is its second column, and given
};
std::optional<Way> way_to(const JobFilter& filter) {
  if (filter.batch) return Way{"batch", 8, "j.batch is not null", "bigint"};
  if (!filter.recurring_id.empty()) return Way{"recurring_id", 3, "j.recurring_id is not null"};
  if (!filter.subject.empty()) return Way{"subject", 4, "j.subject <> ''", "text", true};
  if (!filter.kind.empty()) return Way{"kind", 5};
  if (!filter.queue.empty() && filter.queue != "default") return Way{"queue", 6, "j.queue <> 'default'"};
  return std::nullopt;
}

// A job's row says `enqueued` while it runs; its lease says so. The order is that of the index, whose first
// column is compared with an array of one: with a plain "=" it would not count for the order, and the
// planner, who takes states and kinds to be alike in number, would rather go through all jobs by their
// number, and where there is none of the kind, to the end. (As one comparison of rows the scan would not end
// with the range.)
std::string list_query(const JobFilter& filter, std::string_view columns, JobState state) {
  const std::string_view direction = filter.oldest_first ? "asc" : "desc";
  const bool runs = state == JobState::processing;
  const auto way = runs ? std::nullopt : way_to(filter);
  std::string query = fmt::format("select {} from ", columns);
  // From the leases to their jobs, never the other way: that is what "+ 0" says.
  std::string order = fmt::format(" order by l.job {}", direction);
  if (runs) {
    query += "lease l join job j on j.id = l.job + 0 where ?1 = 2 and l.job < ?2";
  } else {
    // Each column by itself, the first as an array of one: see above.
    std::string wanted =
        way ? fmt::format("j.{} = any(array[?{}::{}]) and ", way->column, way->parameter, way->type)
            : std::string();
    if (way && way->by_kind) wanted += "j.kind = ?5 and ";
    query +=
        fmt::format("job j left join lease l on l.job = j.id where {} j.id < ?2::bigint",
                    wanted + (way ? "j.state = ?1::smallint and" : "j.state = any(array[?1::smallint]) and"));
    if (way && !way->partial.empty()) query += fmt::format(" and {}", way->partial);
    if (state == JobState::enqueued) query += " and l.job is null";
    order =
        fmt::format(" order by {0}j.state {1}, j.id {1}",
                    !way           ? std::string()
                    : way->by_kind ? fmt::format("j.{} {}, j.kind {}, ", way->column, direction, direction)
                                   : fmt::format("j.{} {}, ", way->column, direction),
                    direction);
  }
  const auto also = [&](std::string_view column, int parameter, const std::string& value) {
    if (!value.empty() && !(way && (way->column == column || (way->by_kind && column == "kind"))))
      query += fmt::format(" and j.{} = ?{}", column, parameter);
  };
  also("recurring_id", 3, filter.recurring_id);
  also("subject", 4, filter.subject);
  also("kind", 5, filter.kind);
  also("queue", 6, filter.queue);
  if (filter.batch && !way) query += " and j.batch = ?8";
  // Every parameter needs a type, the unused ones too.
  query += " and (?3::text, ?4::text, ?5::text, ?6::text, ?8::bigint) is not null";
  return query + order + " limit ?7";
}

bool is_plain(const JobFilter& filter) {
  return filter.states.empty() && filter.subject.empty() && filter.kind.empty() && filter.queue.empty() &&
         filter.recurring_id.empty() && !filter.batch;
}

// As list_query(): a job that runs is `enqueued` in its own row, and ranges say which index.
std::string recent_query(const RecentFilter& filter) {
  std::string newest;
  for (const JobState state : filter.states) {
    const bool runs = state == JobState::processing;
    std::string_view lease;
    if (runs) lease = "exists (select 1 from lease l where l.job = job.id) and";
    if (state == JobState::enqueued) lease = "not exists (select 1 from lease l where l.job = job.id) and";
    if (!newest.empty()) newest += " union all ";
    const int number = static_cast<int>(runs ? JobState::enqueued : state);
    newest += fmt::format(
        "(select id from job where {} subject = any(array[wanted.subject]) and kind = ?2::text and state = "
        "{}::smallint and subject <> '' order by subject desc, kind desc, state desc, id desc limit ?3)",
        lease, number);
  }
  return fmt::format(
      "select newest.id from unnest(?1::text[]) with ordinality as wanted(subject, place) cross join lateral "
      "(select id from ({}) as each order by id desc limit ?3) as newest order by wanted.place, newest.id "
      "desc",
      newest);
}

std::string id_array(std::span<const JobId> ids) {
  std::string array = "{";
  for (const JobId id : ids) {
    if (array.size() > 1) array += ',';
    array += std::to_string(id.value());
  }
  return array + '}';
}

// From one to the next through the index: each is found at once, however many jobs it has.
Result<std::vector<std::string>> kinds_of_subject(Database& database, const std::string& subject) {
  std::vector<std::string> kinds;
  SLUICE_CHECK(database.each(
      "with recursive k(subject, kind) as ((select subject, kind from job where subject = ?1 and subject <> "
      "'' "
      "order by subject, kind limit 1) union all select n.* from k cross join lateral (select subject, kind "
      "from "
      "job where (subject, kind) > (?1, k.kind) and subject <> '' order by subject, kind limit 1) n where "
      "k.subject = ?1) select kind from k where subject = ?1",
      [&](const Row& row) -> Result<void> {
        kinds.push_back(row.text(0));
        return {};
      },
      subject));
  return kinds;
}

template <class F>
Result<void> visit_states(Database& database, const JobFilter& filter, std::string_view columns, int limit,
                          F add) {
  const std::int64_t before = filter.before ? filter.before->value() : INT64_MAX;
  for (const JobState state : kJobStates) {
    if (!filter.states.empty() && std::ranges::find(filter.states, state) == filter.states.end()) continue;
    SLUICE_CHECK(database.each(list_query(filter, columns, state), add, state, before, filter.recurring_id,
                               filter.subject, filter.kind, filter.queue, limit, filter.batch));
  }
  return {};
}

// Every job of the filter once, by state: in order only within each state. Each state yields up to the limit.
template <class F>
Result<void> visit(Database& database, const JobFilter& filter, std::string_view columns, int limit, F add) {
  if (is_plain(filter)) {
    return database.each(fmt::format("select {} from job j left join lease l on l.job = j.id where j.id < ? "
                                     "order by j.id {} limit ?",
                                     columns, filter.oldest_first ? "asc" : "desc"),
                         add, filter.before ? filter.before->value() : INT64_MAX, limit);
  }
  const bool by_subject = !filter.subject.empty() && filter.recurring_id.empty() && !filter.batch;
  if (!by_subject || !filter.kind.empty()) return visit_states(database, filter, columns, limit, add);
  SLUICE_TRY(const auto kinds, kinds_of_subject(database, filter.subject));
  JobFilter one = filter;
  for (const std::string& kind : kinds) {
    one.kind = kind;
    SLUICE_CHECK(visit_states(database, one, columns, limit, add));
  }
  return {};
}

}  // namespace

Result<std::vector<Job>> PostgresJobQueries::list(const JobFilter& filter) {
  const int limit = std::clamp(filter.limit, 1, kMostListed);
  return pool_.read([&](Database& database) -> Result<std::vector<Job>> {
    std::vector<Job> jobs;
    const auto add = [&](const Row& row) -> Result<void> {
      SLUICE_TRY(auto job, read_job(row));
      jobs.push_back(std::move(job));
      return {};
    };
    SLUICE_CHECK(visit(database, filter, without_long_texts(live_job_columns(), "octet_length"), limit, add));
    std::ranges::sort(
        jobs, [&](const Job& a, const Job& b) { return filter.oldest_first ? a.id < b.id : a.id > b.id; });
    if (jobs.size() > static_cast<std::size_t>(limit)) jobs.resize(static_cast<std::size_t>(limit));
    return jobs;
  });
}

Result<std::vector<JobId>> find_ids(Database& database, const JobFilter& filter) {
  const int limit = std::clamp(filter.limit, 1, kMostListed);
  std::vector<JobId> ids;
  const auto add = [&](const Row& row) -> Result<void> {
    ids.emplace_back(row.integer(0));
    return {};
  };
  SLUICE_CHECK(visit(database, filter, "j.id", limit, add));
  std::ranges::sort(ids, [&](JobId a, JobId b) { return filter.oldest_first ? a < b : a > b; });
  if (ids.size() > static_cast<std::size_t>(limit)) ids.resize(static_cast<std::size_t>(limit));
  return ids;
}

Result<std::optional<Job>> PostgresJobQueries::get(JobId id) {
  SLUICE_TRY(auto found, get_all(std::span(&id, 1)));
  if (found.empty()) return std::optional<Job>();
  return std::optional(std::move(found.front()));
}

Result<std::vector<Job>> PostgresJobQueries::get_all(std::span<const JobId> ids) {
  return pool_.once([&](Database& database) -> Result<std::vector<Job>> {
    std::vector<Job> jobs;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from job j left join lease l on l.job = j.id where j.id = any(?::bigint[]) "
                    "order by j.id",
                    live_job_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(auto job, read_job(row));
          jobs.push_back(std::move(job));
          return {};
        },
        id_array(ids)));
    return jobs;
  });
}

Result<void> PostgresJobQueries::recent(const RecentFilter& filter, const OnRecent& visit) {
  if (filter.subjects.empty() || filter.states.empty()) return {};
  return pool_.read([&](Database& database) -> Result<void> {
    std::vector<JobId> ids;
    SLUICE_CHECK(database.each(
        recent_query(filter),
        [&](const Row& row) -> Result<void> {
          ids.emplace_back(row.integer(0));
          return {};
        },
        array_text(filter.subjects), filter.kind, std::clamp(filter.per_subject, 1, kMostPerSubject)));
    const std::string query = fmt::format(
        "select j.id, j.subject, case when l.job is null then j.state else 2 end, case when l.job is null "
        "then "
        "j.finished_at end, case when l.job is null then j.duration_ms end, {} from unnest(?::bigint[]) with "
        "ordinality as wanted(id, place) join job j on j.id = wanted.id left join lease l on l.job = j.id "
        "order "
        "by wanted.place",
        filter.with_result ? "j.result" : "''");
    for (std::span<const JobId> rest(ids); !rest.empty();) {
      const auto part = rest.first(std::min(rest.size(), kResultsAtOnce));
      rest = rest.subspan(part.size());
      SLUICE_CHECK(database.each(
          query,
          [&](const Row& row) -> Result<void> {
            visit({.id = JobId(row.integer(0)),
                   .subject = row.text(1),
                   .state = static_cast<JobState>(row.integer(2)),
                   .finished_at = row.maybe_time(3),
                   .duration_ms = row.maybe_integer(4),
                   .result = row.text(5)});
            return {};
          },
          id_array(part)));
    }
    return {};
  });
}

Result<std::vector<StateChange>> PostgresJobQueries::history(JobId job) {
  return pool_.once([&](Database& database) -> Result<std::vector<StateChange>> {
    std::string lines;
    SLUICE_CHECK(database.each(
        "select j.history || case when l.job is null then '' else history_line(2, l.started_at, l.attempt, "
        "l.node, '') end from job j left join lease l on l.job = j.id where j.id = ?",
        [&](const Row& row) -> Result<void> {
          lines = row.text(0);
          return {};
        },
        job));
    return read_history(job, lines);
  });
}

Result<std::vector<LogLine>> PostgresJobQueries::log(JobId job, std::int64_t after_seq, int limit) {
  return pool_.once([&](Database& database) -> Result<std::vector<LogLine>> {
    std::vector<LogLine> lines;
    SLUICE_CHECK(database.each(
        "select seq, at, attempt, level, text from job_log where job = ? and seq > ? order by seq limit ?",
        [&](const Row& row) -> Result<void> {
          lines.push_back({job, row.integer(0), row.time(1), static_cast<int>(row.integer(2)),
                           static_cast<LogLevel>(row.integer(3)), row.text(4)});
          return {};
        },
        job, after_seq, std::max(limit, 1)));
    return lines;
  });
}

Result<StateCounts> PostgresJobQueries::counts() {
  return pool_.once([&](Database& database) -> Result<StateCounts> {
    StateCounts counts{};
    SLUICE_CHECK(database.each(
        "select state, sum(n)::bigint from (select state, n from job_count union all select state, n from "
        "tally) as all_of_them group by state",
        [&](const Row& row) -> Result<void> {
          if (const auto state = known_state(row.integer(0)))
            counts[static_cast<std::size_t>(*state)] = row.integer(1);
          return {};
        }));
    return counts;
  });
}

Result<std::vector<MinuteCount>> PostgresJobQueries::minutes(Timestamp since) {
  return pool_.once([&](Database& database) -> Result<std::vector<MinuteCount>> {
    std::vector<MinuteCount> minutes;
    SLUICE_CHECK(database.each(
        "select minute, state, sum(n)::bigint, sum(ms)::bigint, sum(amount)::bigint from (select minute, "
        "state, n, ms, amount from job_minute where minute >= ?1 union all select minute, state, finished, "
        "ms, amount from tally where finished > 0 and minute >= ?1) as all_of_them group by minute, state "
        "order by minute, state",
        [&](const Row& row) -> Result<void> {
          const auto state = known_state(row.integer(1));
          if (state) minutes.push_back({row.time(0), *state, row.integer(2), row.integer(3), row.integer(4)});
          return {};
        },
        since));
    return minutes;
  });
}

}  // namespace sluice::jobs
