// The rejects of one run. A record that is bad in every run is one entry with a counter, not one entry a run.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "model/reject.h"
#include "model/spec.h"
#include "sql/connection.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::history {

// Entries are told apart by (loader, source, code, column, record as found), not by their place: a bad record
// that moves by a line is still the same. Which runs saw an entry is kept too. Writes within the caller's
// transaction, in which the run must be recorded afterwards (insert_run).
class RejectWriter {
 public:
  RejectWriter(sql::Connection& connection, JobId job, std::string_view loader, const RejectSpec& spec,
               Timestamp now)
      : connection_(connection), job_(job), loader_(loader), spec_(spec), now_(now) {}

  // Kept while this run's cap (spec.sample) lasts; the raw record only when spec.raw, at most 64 KiB of it.
  Result<void> add(const Reject& reject, std::string_view source);
  // Ends the run: `all_seen` (every source was read to its end, and the cap was not reached) marks open
  // entries that did not come again as fixed. Entries last seen before spec.keep are removed, a batch a run.
  Result<void> finish(bool all_seen);
  std::int64_t written() const { return written_; }

 private:
  Result<void> note_seen(std::int64_t reject);

  sql::Connection& connection_;
  JobId job_;
  std::string loader_;
  RejectSpec spec_;
  Timestamp now_;
  std::int64_t written_ = 0;
  bool capped_ = false;
  std::int64_t record_ = 0;    // number that the record of this run will get
  std::int64_t previous_ = 0;  // of the loader's last record, 0 = none
  std::unique_ptr<sql::Statement> upsert_;
  std::unique_ptr<sql::Statement> extend_;
  std::unique_ptr<sql::Statement> begin_;
};

}  // namespace sluice::history
