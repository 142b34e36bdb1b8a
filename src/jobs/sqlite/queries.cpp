// What the page asks, on SQLite. Each statement names its index: one that could not be used is an error in
// the tests, not a slow page a year later.
#include "jobs/sqlite/parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

constexpr int kMostListed = 1000;

// The index that narrows most, with the term its condition needs.
struct Path {
  std::string_view index, column, condition;
};

Path choose_path(const JobFilter& filter) {
  if (filter.batch) return {"job_batch", "", " and batch = ?7 and batch is not null"};
  if (!filter.recurring_id.empty()) return {"job_recurring", "recurring_id", " and recurring_id is not null"};
  if (!filter.subject.empty()) return {"job_subject", "subject", " and subject <> ''"};
  if (!filter.queue.empty() && filter.queue != "default")
    return {"job_queue", "queue", " and queue <> 'default'"};
  if (!filter.kind.empty()) return {"job_kind", "kind", ""};
  return {"job_state", "", ""};
}

// One state at a time: (…, state, id) then yields the newest directly, with nothing to sort.
std::string list_query(const JobFilter& filter, std::string_view columns) {
  const Path path = choose_path(filter);
  std::string query =
      fmt::format("select {} from job indexed by {} where state = ?1 and id < ?2", columns, path.index);
  query += path.column.empty() ? std::string(path.condition)
                               : fmt::format(" and {} = ?3{}", path.column, path.condition);
  // The other filters narrow what the index yields.
  if (!filter.recurring_id.empty() && path.column != "recurring_id") query += " and recurring_id = ?8";
  if (!filter.subject.empty() && path.column != "subject") query += " and subject = ?4";
  if (!filter.kind.empty() && path.column != "kind") query += " and kind = ?5";
  if (!filter.queue.empty() && path.column != "queue") query += " and queue = ?6";
  return query + (filter.oldest_first ? " order by id limit ?9" : " order by id desc limit ?9");
}

std::string_view path_value(const JobFilter& filter, std::string_view column) {
  if (column == "recurring_id") return filter.recurring_id;
  if (column == "subject") return filter.subject;
  if (column == "queue") return filter.queue;
  return filter.kind;
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
    return database.each(fmt::format("select {} from job where id < ? order by id {} limit ?", columns,
                                     filter.oldest_first ? "asc" : "desc"),
                         add, before, limit);
  }
  const std::string query = list_query(filter, columns);
  const std::string_view value = path_value(filter, choose_path(filter).column);
  for (const JobState state : kJobStates) {
    if (!filter.states.empty() && std::ranges::find(filter.states, state) == filter.states.end()) continue;
    SLUICE_CHECK(database.each(query, add, state, before, value, filter.subject, filter.kind, filter.queue,
                               filter.batch, filter.recurring_id, limit));
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
    SLUICE_CHECK(visit(database, filter, job_columns(), limit, add));
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
  SLUICE_CHECK(visit(database, filter, "id", limit, add));
  std::ranges::sort(ids, [&](JobId a, JobId b) { return filter.oldest_first ? a < b : a > b; });
  if (ids.size() > static_cast<std::size_t>(limit)) ids.resize(static_cast<std::size_t>(limit));
  return ids;
}

Result<std::optional<Job>> SqliteJobQueries::get(JobId id) {
  return file_.read([&](Database& database) -> Result<std::optional<Job>> {
    std::optional<Job> found;
    SLUICE_CHECK(database.each(
        fmt::format("select {} from job where id = ?", job_columns()),
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
        "select seq, state, at, attempt, node, reason from job_history where job = ? order by seq",
        [&](const Row& row) -> Result<void> {
          changes.push_back({job, static_cast<int>(row.integer(0)), static_cast<JobState>(row.integer(1)),
                             row.time(2), static_cast<int>(row.integer(3)), row.text(4), row.text(5)});
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
      counts.at(static_cast<std::size_t>(row.integer(0))) = row.integer(1);
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
          minutes.push_back({row.time(0), static_cast<JobState>(row.integer(1)), row.integer(2),
                             row.integer(3), row.integer(4)});
          return {};
        },
        since));
    return minutes;
  });
}

}  // namespace sluice::jobs
