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
// that moves by a line is still the same. Writes within the caller's transaction.
class RejectWriter {
 public:
  RejectWriter(sql::Connection& connection, JobId job, std::string_view loader, const RejectSpec& spec,
               Timestamp now)
      : connection_(connection), job_(job), loader_(loader), spec_(spec), now_(now) {}

  // Kept while this run's cap (spec.sample) lasts; the raw record only when spec.raw, at most 64 KiB of it.
  Result<void> add(const Reject& reject, std::string_view source);
  // Ends the run: `all_seen` (every source was read to its end, and the cap was not reached) marks open
  // entries that did not come again as fixed. Entries last seen before spec.keep are removed.
  Result<void> finish(bool all_seen);
  std::int64_t written() const { return written_; }

 private:
  sql::Connection& connection_;
  JobId job_;
  std::string loader_;
  RejectSpec spec_;
  Timestamp now_;
  std::int64_t written_ = 0;
  bool capped_ = false;
  std::unique_ptr<sql::Statement> upsert_;
};

}  // namespace sluice::history
