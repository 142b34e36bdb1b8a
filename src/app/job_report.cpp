#include "app/job_report.h"

#include "api/reject_json.h"
#include "app/job_target.h"
#include "base/clock.h"
#include "base/text.h"
#include "model/receipt.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::app {
namespace {

constexpr int kMostLines = 10'000;  // the store keeps no more of one job
constexpr std::size_t kRawLine = 160;

Result<void> read_rejects(jobs::Store& store, const jobs::Job& job, int most, const GlobalOptions& globals,
                          JobRecords& records) {
  SLUICE_TRY(const auto target, open_job_target(store, job, globals));
  if (!target) return {};
  SLUICE_TRY(records.rejects, history::rejects(*target->connection, {.job = target->run, .limit = most + 1}));
  records.more_rejects = static_cast<int>(records.rejects.size()) > most;
  if (records.more_rejects) records.rejects.pop_back();
  return {};
}

std::string place_of(const history::KeptReject& reject) {
  std::string place = printable(reject.source);
  if (!reject.locator.empty()) place += (place.empty() ? "" : ", ") + printable(reject.locator);
  if (!reject.column.empty()) place += (place.empty() ? "column " : ", column ") + printable(reject.column);
  return place;
}

}  // namespace

Result<JobRecords> job_records(jobs::Store& store, const jobs::Job& job, int most_rejects,
                               const GlobalOptions& globals) {
  JobRecords records;
  SLUICE_TRY(records.log, store.queries().log(job.id, 0, kMostLines));
  if (!job.subject.empty()) SLUICE_CHECK(read_rejects(store, job, most_rejects, globals, records));
  return records;
}

std::string reject_text(const history::KeptReject& reject) {
  auto text = fmt::format("  {}: {}\n", place_of(reject), printable(reject.message, 500));
  if (!reject.raw.empty()) text += fmt::format("      {}\n", printable(reject.raw, kRawLine));
  return text;
}

std::string records_text(const JobRecords& records, const jobs::Job& job) {
  std::string text;
  if (!records.log.empty()) text += "log:\n";
  for (const auto& line : records.log) {
    // format_utc ends in the time of day: the day stands in the history above.
    text += fmt::format("  {}  {:<7} {}\n", format_utc(line.at).substr(11), jobs::to_string(line.level),
                        printable(line.text, line.text.size() + 1));
  }
  if (records.rejects.empty()) return text;
  const auto receipt = receipt_from_json(job.result);
  text += receipt ? fmt::format("rejected: {} of {} records\n", group_digits(receipt->rejected),
                                group_digits(receipt->read))
                  : std::string("rejected:\n");
  for (const auto& reject : records.rejects) text += reject_text(reject);
  if (records.more_rejects) text += "  … and more: --rejects N shows N of them\n";
  return text;
}

void add_records(api::Json& json, const JobRecords& records) {
  json["log"] = api::Json::array();
  for (const auto& line : records.log) json["log"].push_back(api::log_json(line));
  json["rejects"] = api::Json::array();
  for (const auto& reject : records.rejects) json["rejects"].push_back(api::reject_json(reject));
}

}  // namespace sluice::app
