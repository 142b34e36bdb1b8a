// A run that stops before anything is written: what would change, judged by the same guards.
#pragma once

#include "load/run.h"

#include <string>
#include <vector>

namespace sluice::load {

struct SampleCell {
  std::string column;
  std::string before;  // JSON values; "" = no such side (insert, delete)
  std::string after;
};
struct SampleChange {
  std::string op;   // insert update delete restore
  std::string key;  // JSON object of the key columns
  std::vector<SampleCell> cells;
};

struct Plan {
  Receipt receipt;               // the counts a run would have; applied is false
  std::vector<std::string> ddl;  // statements to come
  std::vector<SampleChange> samples;
};

// Samples hold at most `sample_limit` changes of each kind.
Plan plan(const Request& request, Environment& environment, Observer& observer, std::size_t sample_limit,
          std::stop_token stop);

// {"loader",…counts as in run
// --json…,"ddl":[…],"changes":[{"op","key":{…},"columns":[{"name","before","after"}]}]}
std::string to_json(const Plan& plan);

}  // namespace sluice::load
