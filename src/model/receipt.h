// The counted result of one run.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// One guard's judgement. verdict: "ok" "breached" "warned" "held".
struct GuardVerdict {
  std::string guard;   // "minimumExpectedRecords", "maxDeletes", …
  std::string limit;   // as defined: "10%", "160"
  std::string actual;  // what this run has: "12.5% (50 of 400)"
  std::string verdict;
  std::string message;  // for people; empty when passed
};

struct Receipt {
  std::string loader;
  std::int64_t job = 0;
  int attempt = 1;
  std::string state;     // succeeded failed held skipped deleted …: the job states' words
  bool applied = false;  // true = these counts are in the target
  std::string mode;      // sync upsert append replace, undo
  std::string compare;   // fingerprint columns, or none when nothing was compared

  // read = rejected + duplicates + inserted + updated + restored + unchanged + ignored + deleted_by_source
  std::int64_t read = 0;
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t deleted = 0;  // deleted_by_source + vanished rows deleted (soft or hard)
  std::int64_t restored = 0;
  std::int64_t unchanged = 0;
  std::int64_t vanished = 0;  // keys of the target that the source no longer has
  std::int64_t rejected = 0;
  std::int64_t duplicates = 0;
  std::int64_t ignored = 0;
  std::int64_t deleted_by_source = 0;
  std::int64_t rows_before = 0;
  std::int64_t rows_after = 0;

  std::int64_t bytes = 0;         // received or read
  std::int64_t requests = 0;      // HTTP requests, retries included
  std::int64_t not_modified = 0;  // sources that answered "not modified" or had the same bytes

  Timestamp started_at{};
  std::int64_t duration_ms = 0;
  std::vector<GuardVerdict> guards;
  std::vector<std::string> schema_changes;  // "created table country", "added column iso_numeric text"
  std::vector<std::string> notes;           // "target was changed by hand: compared by columns"
  std::string catalog_hash;
  std::int64_t undoes = 0;  // the run that an undo took back: its key in this database; 0 = it is a load
  std::optional<Error> error;

  bool balanced() const {
    return read ==
           rejected + duplicates + inserted + updated + restored + unchanged + ignored + deleted_by_source;
  }
};

// The object of `run --json` (DESIGN, section 3), one line. Also stored as the job's result.
std::string to_json(const Receipt& receipt);
Result<Receipt> receipt_from_json(std::string_view json);

}  // namespace sluice
