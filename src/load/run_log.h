// The lines that a run leaves in its job's log: short, in the order of the work, each a fact with its
// figures. Pure text; the run decides when each is said.
#pragma once

#include "fetch/fetch.h"
#include "load/sources.h"
#include "model/receipt.h"
#include "model/spec.h"
#include "upsert/table_state.h"

#include <string>
#include <string_view>

namespace sluice::load {

// "load Country into table country: mode sync, key alpha2"
std::string begin_line(const LoaderSpec& loader);
// "read countries.json: 1 file, 48,213 bytes", or why its bytes need not be looked at.
std::string fetched_line(const SourceSpec& source, const fetch::Fetched& fetched);
// "countries.json: csv, gzip, utf-8, delimiter ';', 9 fields in 249 records"
std::string format_line(const ProbedItem& item);
// What becomes of the rows where nothing is compared, and how they are compared otherwise.
std::string stream_line(const LoaderSpec& loader, const upsert::Inspection& found);
std::string compare_line(const upsert::Inspection& found, bool by_columns);
// "249 records read: 1 updated, 248 unchanged"
std::string counts_line(const Receipt& receipt);
// "guard maxDeletes: 12 of 249 (4.8%), the limit is 10%: ok"
std::string guard_line(const GuardVerdict& verdict);
std::string commit_line(std::string_view table, std::int64_t rows, std::int64_t generation);
std::string end_line(const Receipt& receipt);

}  // namespace sluice::load
