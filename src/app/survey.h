// What a source holds, found out by reading all of it: its columns, their types, and what could be its key.
// For `sluice init`; nothing is written and no database is opened.
#pragma once

#include "load/run.h"
#include "model/schema.h"

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::app {

struct SurveyedColumn {
  Column column;
  std::int64_t empty = 0;  // rows without a value
  bool has_values = true;  // false: no row has one, so that the type is not known
  bool unique = false;     // and never empty
};

struct Survey {
  std::vector<SurveyedColumn> columns;
  std::int64_t records = 0;  // that could be read
  std::int64_t rejected = 0;
  // Column names, the likeliest key first: single columns, or else pairs, or else triples.
  std::vector<std::vector<std::string>> keys;
  std::int64_t compared = 0;  // records that uniqueness was judged by; fewer than `records` in a large source
};

// Reads the sources of the request's loader, whose own key and columns do not count. Errors as of a run.
Result<Survey> survey(const load::Request& request, load::Environment& environment, load::Observer& observer,
                      std::stop_token stop);

}  // namespace sluice::app
