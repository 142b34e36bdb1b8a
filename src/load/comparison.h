// The middle of a run: from probed sources and the table as it is to the table's plan and the changes.
#pragma once

#include "diff/differ.h"
#include "load/mapping.h"
#include "load/pass.h"
#include "load/run.h"
#include "model/change_set.h"
#include "sql/connection.h"
#include "upsert/table_plan.h"
#include "upsert/table_state.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::load {

// What the run wants of the table, for the columns known so far.
struct Shape {
  Mapping mapping;
  upsert::TablePlan plan;
};
Result<Shape> shape_for(const LoaderSpec& loader, const std::vector<ProbedItem>& items,
                        const upsert::Inspection& found);
// True when a pass found more columns, wider types or another encoding: `shape` and `items` now say so, and
// the pass must be made again; the observer is told.
Result<bool> widen_shape(Shape& shape, const LoaderSpec& loader, const upsert::Inspection& found,
                         const PassResult& pass, std::vector<ProbedItem>& items, Observer& observer);
PassOptions pass_options(const Mapping& mapping);

// A pass makes the shape wider at most so often; each time it can only get wider.
inline constexpr int kMaxWidenings = 32;

struct Comparison {
  Shape shape;
  PassResult pass;
  diff::DiffSummary summary;
  std::unique_ptr<ChangeSet> changes;
  std::unique_ptr<FingerprintReader> base;  // compared by columns: fingerprints of the table's own rows
  std::string damage;                       // why the stored fingerprints could not be used, "" = they could
  // An append whose table has lost columns: updates fill these and nothing else.
  std::vector<std::size_t> refill;
  // Rows that no fingerprint stands for, having no key: they count as rows, and no load touches them.
  std::int64_t keyless_rows = 0;
  bool by_columns() const { return base != nullptr; }
};

struct CompareOptions {
  bool by_columns = false;      // whatever the fingerprints say
  bool spare_vanished = false;  // vanished rows are counted and left alone, whatever load.vanished says
};

// `connection` may be null when the table does not exist.
Result<Comparison> compare(const Request& request, Environment& environment, Observer& observer,
                           sql::Connection* connection, const upsert::Inspection& found,
                           std::vector<ProbedItem>& items, const CompareOptions& options,
                           std::stop_token stop);

}  // namespace sluice::load
