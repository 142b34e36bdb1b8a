// What a run says while it works: the receipt as it fills, and the lines of the job's log.
#pragma once

#include "diff/differ.h"
#include "load/pass.h"
#include "load/run.h"
#include "upsert/table_plan.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::load {

class RunReport {
 public:
  // Time counts from here. Everything given must outlive the report.
  RunReport(const Request& request, Clock& clock, Observer& observer);

  Receipt receipt;

  std::int64_t elapsed() const;  // milliseconds
  // A line of the log; a note stands in the receipt too.
  void say(const std::string& text) { observer_.log(Observer::Level::info, text); }
  void note(const std::string& text);
  void note_any(const std::string& text);  // nothing for ""
  void note_all(const std::vector<std::string>& texts);
  // The run has not succeeded: nothing it would have done to the table has happened.
  void fail(Error error);

  // Begins the notes anew: what the table is like and what is planned for it.
  void plan(const upsert::Inspection& found, const upsert::TablePlan& plan,
            const std::vector<ProbedItem>& items);
  void count(const PassResult& pass, const diff::DiffCounts& counts);
  // Errors: `internal` when the counts do not add up, `guard` when a guard is breached.
  Result<void> balance() const;
  Result<void> judge(const PassResult& pass, const std::vector<ProbedItem>& items);

 private:
  const Request& request_;
  Clock& clock_;
  Observer& observer_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace sluice::load
