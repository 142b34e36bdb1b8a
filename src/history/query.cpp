#include "history/query.h"

#include "history/tables.h"

#include <fmt/format.h>

namespace sluice::history {
namespace {

Result<Run> read_run(const sql::Statement& row) {
  SLUICE_TRY(auto receipt, receipt_from_json(row.text(1)));
  return Run{JobId(row.int64(0)), std::move(receipt), from_micros(row.int64(2))};
}

}  // namespace

Result<std::vector<Run>> runs(sql::Connection& connection, const RunFilter& filter) {
  std::vector<Run> found;
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_run"}));
  if (!known) return found;
  std::string where = filter.before ? "seq < (select seq from _sluice_run where job = ?1)" : "true";
  if (!filter.loader.empty()) where += " and loader = ?2";
  if (filter.applied_only) where += " and applied = 1";
  SLUICE_TRY(auto select,
             connection.prepare(fmt::format(
                 "select job, receipt, finished_at from _sluice_run where {} order by seq desc limit {}",
                 where, filter.limit)));
  if (filter.before) select->bind_int64(1, filter.before->value());
  if (!filter.loader.empty()) select->bind_text(2, filter.loader);
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return found;
    SLUICE_TRY(auto one, read_run(*select));
    found.push_back(std::move(one));
  }
}

Result<std::optional<Run>> run(sql::Connection& connection, JobId job) {
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_run"}));
  if (!known) return std::nullopt;
  SLUICE_TRY(auto select,
             connection.prepare("select job, receipt, finished_at from _sluice_run where job = ?"));
  select->bind_int64(1, job.value());
  SLUICE_TRY(const bool row, select->step());
  if (!row) return std::nullopt;
  SLUICE_TRY(auto one, read_run(*select));
  return one;
}

Result<std::vector<Run>> runs_after(sql::Connection& connection, std::string_view loader, JobId job) {
  std::vector<Run> found;
  SLUICE_TRY(
      auto select,
      connection.prepare("select job, receipt, finished_at from _sluice_run where loader = ? and applied "
                         "= 1 and seq > (select seq from _sluice_run where job = "
                         "?) order by seq"));
  select->bind_text(1, loader);
  select->bind_int64(2, job.value());
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return found;
    SLUICE_TRY(auto one, read_run(*select));
    const Receipt& r = one.receipt;
    if (r.inserted + r.updated + r.deleted + r.restored > 0) found.push_back(std::move(one));
  }
}

Result<ChangesOf> count_changes(sql::Connection& connection, JobId job) {
  SLUICE_TRY(auto select,
             connection.prepare("select changes_logged, changes_kept from _sluice_run where job = ?"));
  select->bind_int64(1, job.value());
  SLUICE_TRY(const bool row, select->step());
  return row ? ChangesOf{select->int64(0), select->int64(1)} : ChangesOf{};
}

Result<std::vector<LoggedEntry>> changes(sql::Connection& connection, JobId job, std::int64_t after_seq,
                                         int limit) {
  std::vector<LoggedEntry> found;
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_change"}));
  if (!known) return found;
  SLUICE_TRY(auto select,
             connection.prepare("select seq, op, key, cells from _sluice_change where job = ? and seq > ? "
                                "order by seq limit ?"));
  select->bind_int64(1, job.value());
  select->bind_int64(2, after_seq);
  select->bind_int64(3, limit);
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return found;
    found.push_back({select->int64(0), std::string(select->text(1)), std::string(select->text(2)),
                     std::string(select->text(3))});
  }
}

Result<std::vector<KeptReject>> rejects(sql::Connection& connection, const RejectFilter& filter) {
  std::vector<KeptReject> found;
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_reject", "_sluice_run"}));
  if (!known) return found;
  std::string where = "id > ?1";
  if (!filter.loader.empty()) where += " and loader = ?2";
  if (filter.job) {
    where +=
        " and exists (select 1 from _sluice_reject_span s, _sluice_run r where s.reject = id and r.job = ?3 "
        "and r.seq between s.first_run and s.last_run and r.loader = s.loader)";
  }
  if (filter.open_only) where += " and status = 'open'";
  SLUICE_TRY(
      auto select,
      connection.prepare(fmt::format(
          "select id, loader, source, locator, stage, code, column_name, message, raw, first_job, last_job, "
          "first_seen, last_seen, seen, status from _sluice_reject where {} order by id limit {}",
          where, filter.limit)));
  select->bind_int64(1, filter.after_id);
  if (!filter.loader.empty()) select->bind_text(2, filter.loader);
  if (filter.job) select->bind_int64(3, filter.job->value());
  for (;;) {
    SLUICE_TRY(const bool row, select->step());
    if (!row) return found;
    KeptReject& kept = found.emplace_back();
    kept.id = select->int64(0);
    kept.loader = select->text(1);
    kept.source = select->text(2);
    kept.locator = select->text(3);
    kept.stage = select->text(4);
    kept.code = select->text(5);
    kept.column = select->text(6);
    kept.message = select->text(7);
    kept.raw = select->text(8);
    kept.first_job = JobId(select->int64(9));
    kept.last_job = JobId(select->int64(10));
    kept.first_seen = from_micros(select->int64(11));
    kept.last_seen = from_micros(select->int64(12));
    kept.count = select->int64(13);
    kept.status = select->text(14);
  }
}

Result<std::int64_t> open_rejects(sql::Connection& connection, std::string_view loader) {
  SLUICE_TRY(const bool known, readable(connection, {"_sluice_reject"}));
  if (!known) return 0;
  SLUICE_TRY(auto select,
             connection.prepare("select count(*) from _sluice_reject where loader = ? and status = 'open'"));
  select->bind_text(1, loader);
  SLUICE_TRY(const bool row, select->step());
  return row ? select->int64(0) : 0;
}

}  // namespace sluice::history
