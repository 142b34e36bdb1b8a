// Step 2 of a run: all sources read once, from first to last record.
#pragma once

#include "diff/row_hasher.h"
#include "load/run.h"
#include "load/sources.h"
#include "load/spelling.h"
#include "model/reject.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::load {

// Where the rows of a pass go.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual Result<void> rows(const RowBatch& batch, const diff::HashedRows& hashed) = 0;
  // Keys of rejected records that could be read.
  virtual Result<void> rejected_keys(const diff::HashedRows& keys) = 0;
};

struct PassResult {
  std::int64_t read = 0;  // records, rejected ones included
  std::int64_t rejected = 0;
  std::int64_t keyless_rejects = 0;        // rejected records whose key could not be read
  std::vector<std::int64_t> good;          // per source: records that became rows
  std::vector<Reject> rejects;             // at most the loader's sample
  std::vector<decode::Findings> findings;  // per item
  bool must_read_again() const;            // some value, field or encoding is not as the pass took it to be
};

struct PassOptions {
  std::set<std::string> strict;
  std::vector<std::string> ignored_fields;
  bool ignore_new_fields = false;
  Observer::Phase phase = Observer::Phase::compare;  // what progress calls this pass
  Spellings spellings;                               // one entry an item, or none at all
};

Result<PassResult> read_all(const Request& request, const std::vector<ProbedItem>& items, SchemaPtr schema,
                            const PassOptions& options, Observer& observer, RowSink& sink,
                            std::stop_token stop);

}  // namespace sluice::load
