#include "load/run_report.h"

#include "load/accounts.h"
#include "load/run_log.h"
#include "load/sources.h"

namespace sluice::load {

RunReport::RunReport(const Request& request, Clock& clock, Observer& observer)
    : request_(request), clock_(clock), observer_(observer), start_(clock.steady()) {
  receipt.loader = request.loader.name;
  receipt.job = request.job.value();
  receipt.attempt = request.attempt;
  receipt.mode = to_string(request.loader.mode);
  receipt.compare = "none";
  receipt.started_at = clock.now();
  receipt.catalog_hash = request.catalog_hash;
}

std::int64_t RunReport::elapsed() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - start_).count();
}

void RunReport::note(const std::string& text) {
  receipt.notes.push_back(text);
  observer_.log(Observer::Level::warning, text);
}

void RunReport::note_any(const std::string& text) {
  if (!text.empty()) note(text);
}

void RunReport::note_all(const std::vector<std::string>& texts) {
  for (const auto& text : texts) note(text);
}

void RunReport::fail(Error error) {
  receipt.applied = false;
  receipt.schema_changes.clear();  // they went with the transaction
  receipt.state = error.code == ErrorCode::cancelled ? "deleted" : "failed";
  if (error.where.find(request_.loader.name) == std::string::npos) {
    error = fail_within("loader " + request_.loader.name, std::move(error)).error();
  }
  observer_.log(Observer::Level::error, error.describe());
  receipt.error = std::move(error);
}

void RunReport::plan(const upsert::Inspection& found, const upsert::TablePlan& plan,
                     const std::vector<ProbedItem>& items) {
  receipt.schema_changes = plan.schema_changes;
  receipt.notes.clear();
  if (!found.mismatch.empty()) note(found.mismatch);
  note_all(plan.notes);
  note_all(notes_on(items));
}

void RunReport::count(const PassResult& pass, const diff::DiffCounts& counts) {
  count_records(receipt, pass, counts);
  note_any(rejects_note(request_.loader, receipt, pass));
}

Result<void> RunReport::balance() const {
  if (receipt.balanced()) return {};
  return sluice::fail(ErrorCode::internal, "the counts of this run do not add up; nothing was written");
}

Result<void> RunReport::judge(const PassResult& pass, const std::vector<ProbedItem>& items) {
  std::vector<std::string> warnings;
  auto judged = judge_receipt(request_.loader, receipt, pass.good, items, warnings);
  say(counts_line(receipt));
  for (const auto& verdict : receipt.guards) {
    observer_.log(verdict.verdict == "breached" ? Observer::Level::error : Observer::Level::info,
                  guard_line(verdict));
  }
  note_all(warnings);
  return judged;
}

}  // namespace sluice::load
