// What the page asks, on SQLite. Each statement names its index: one that could not be used is an error in
// the tests, not a slow page a year later.
#include "jobs/sqlite/parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr int kMostListed = 1000;

// The index that narrows most: its first column, the parameter it is compared with, and what else the index
// wants to hear.
struct Path {
  std::string_view index, column;
  int parameter = 0;
  std::string_view condition = {};
};

std::optional<Path> choose_path(const JobFilter& filter) {
  if (filter.batch) return Path{"job_batch", "batch", 3, " and j.batch is not null"};
  if (!filter.recurring_id.empty())
    return Path{"job_recurring", "recurring_id", 4, " and j.recurring_id is not null"};
  if (!filter.subject.empty()) return Path{"job_subject", "subject", 5, " and j.subject <> ''"};
  if (!filter.queue.empty() && filter.queue != "default")
    return Path{"job_queue", "queue", 7, " and j.queue <> 'default'"};
  return std::nullopt;
}

// Where the jobs of a state are, in the order of their numbers. What waits and what runs is found in its hot
// table, unless a narrower index leads there.
std::string source(const JobFilter& filter, JobState state) {
  constexpr std::string_view kLeft = " left join lease l on l.job = j.id";
  if (state == JobState::processing) return "lease l cross join job j on j.id = l.job where l.job < ?2";
  if (const auto path = choose_path(filter)) {
    return fmt::format("job j indexed by {}{} where j.state = ?1 and j.id < ?2 and j.{} = ?{}{}{}",
                       path->index, kLeft, path->column, path->parameter, path->condition,
                       state == JobState::enqueued ? " and l.job is null" : "");
  }
  if (state == JobState::enqueued) {
    return fmt::format("ready r cross join job j on j.id = r.job{} where r.job < ?2{}", kLeft,
                       filter.kind.empty() ? "" : " and r.kind = ?6");
  }
  return fmt::format("job j indexed by {}{} where j.state = ?1 and j.state <> 1 and j.id < ?2{}",
                     filter.kind.empty() ? "job_state" : "job_kind", kLeft,
                     filter.kind.empty() ? "" : " and j.kind = ?6");
}

// One state at a time: (…, state, id) then yields the newest directly, with nothing to sort.
std::string list_query(const JobFilter& filter, JobState state, std::string_view columns) {
  std::string query = fmt::format("select {} from {}", columns, source(filter, state));
  // The other filters narrow what that yields.
  if (filter.batch) query += " and j.batch = ?3";
  if (!filter.recurring_id.empty()) query += " and j.recurring_id = ?4";
  if (!filter.subject.empty()) query += " and j.subject = ?5";
  if (!filter.kind.empty()) query += " and j.kind = ?6";
  if (!filter.queue.empty()) query += " and j.queue = ?7";
  const std::string_view by = state == JobState::processing                         ? "l.job"
                              : state == JobState::enqueued && !choose_path(filter) ? "r.job"
                                                                                    : "j.id";
  return query + fmt::format(" order by {} {} limit ?8", by, filter.oldest_first ? "asc" : "desc");
}

bool is_plain(const JobFilter& filter) {
  return filter.states.empty() && filter.subject.empty() && filter.kind.empty() && filter.queue.empty() &&
         filter.recurring_id.empty() && !filter.batch;
}

// Every job of the filter once, by state: in order only within each state. Each state yields up to the limit.
template <class F>
Result<void> visit(Database& database, const JobFilter& filter, std::string_view columns, int limit, F add) {
  const std::int64_t before = filter.before ? filter.before->value() : INT64_MAX;
  if (is_plain(filter)) {
    return database.each(
        fmt::format("select {} from job j left join lease l on l.job = j.id where j.id < ? order by j.id {} "
                    "limit ?",
                    columns, filter.oldest_first ? "asc" : "desc"),
        add, before, limit);
  }
  for (const JobState state : kJobStates) {
    if (!filter.states.empty() && std::ranges::find(filter.states, state) == filter.states.end()) continue;
    SLUICE_CHECK(database.each(list_query(filter, state, columns), add, state, before, filter.batch,
                               filter.recurring_id, filter.subject, filter.kind, filter.queue, limit));
  }
  return {};
}

}  // namespace

Result<std::vector<Job>> SqliteJobQueries::list(const JobFilter& filter) {
  const int limit = std::clamp(filter.limit, 1, kMostListed);
  return file_.read([&](Database& database) -> Result<std::vector<Job>> {
    std::vector<Job> jobs;
    const auto add = [&](const Row& row) -> Result<void> {
      SLUICE_TRY(auto job, read_job(row));
      jobs.push_back(std::move(job));
      return {};
    };
    SLUICE_CHECK(visit(database, filter, without_long_texts(live_job_columns(), "length"), limit, add));
    std::ranges::sort(
        jobs, [&](const Job& a, const Job& b) { return filter.oldest_first ? a.id < b.id : a.id > b.id; });
    if (jobs.size() > static_cast<std::size_t>(limit)) jobs.resize(static_cast<std::size_t>(limit));
    return jobs;
  });
}

Result<std::vector<JobId>> list_ids(Database& database, const JobFilter& filter) {
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

Result<std::optional<Job>> SqliteJobQueries::get(JobId id) {
  return file_.read([&](Database& database) -> Result<std::optional<Job>> {
    std::optional<Job> found;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from job j left join lease l on l.job = j.id where j.id = ?",
                    live_job_columns()),
        [&](const Row& row) -> Result<void> {
          SLUICE_TRY(found, read_job(row));
          return {};
        },
        id));
    return found;
  });
}

Result<std::vector<StateChange>> SqliteJobQueries::history(JobId job) {
  return file_.read([&](Database& database) -> Result<std::vector<StateChange>> {
    std::vector<StateChange> changes;
    SLUICE_CHECK(database.each(
        "select j.history, l.started_at, l.attempt, l.node from job j left join lease l on l.job = j.id "
        "where "
        "j.id = ?",
        [&](const Row& row) -> Result<void> {
          std::string lines = row.text(0);
          // Bytes that are no text may have come in with an older store.
          if (!is_storable(lines)) lines = storable(lines);
          // While it runs, only its lease says so.
          if (const auto began = row.maybe_time(1))
            lines +=
                history_line(JobState::processing, *began, static_cast<int>(row.integer(2)), row.view(3), {});
          changes = read_history(job, lines);
          return {};
        },
        job));
    return changes;
  });
}

Result<std::vector<LogLine>> SqliteJobQueries::log(JobId job, std::int64_t after_seq, int limit) {
  return file_.read([&](Database& database) -> Result<std::vector<LogLine>> {
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

Result<StateCounts> SqliteJobQueries::counts() {
  return file_.read([&](Database& database) -> Result<StateCounts> {
    StateCounts counts{};
    SLUICE_CHECK(database.each("select state, n from job_count", [&](const Row& row) -> Result<void> {
      if (const auto state = known_state(row.integer(0)))
        counts[static_cast<std::size_t>(*state)] = row.integer(1);
      return {};
    }));
    return counts;
  });
}

Result<std::vector<MinuteCount>> SqliteJobQueries::minutes(Timestamp since) {
  return file_.read([&](Database& database) -> Result<std::vector<MinuteCount>> {
    std::vector<MinuteCount> minutes;
    SLUICE_CHECK(database.each(
        "select minute, state, n, ms, amount from job_minute where minute >= ? order by minute, state",
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
