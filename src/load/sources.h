// Step 1 of a run: every source pinned, and whether all of them are the same bytes as at the last load.
#pragma once

#include "decode/decode.h"
#include "fetch/fetch.h"
#include "load/run.h"
#include "sql/connection.h"
#include "upsert/table_state.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::load {

struct PinnedSource {
  std::size_t index = 0;  // into LoaderSpec::sources
  fetch::Fetched fetched;
  bool validators_changed =
      false;  // same bytes, but what is remembered of them is out of date (a touched file)
};

struct Sources {
  std::vector<PinnedSource> all;
  bool not_modified = false;  // every one of them
  std::int64_t requests = 0;
  std::int64_t bytes = 0;
  std::int64_t not_modified_count = 0;
};

// The name under which a source's state is kept with the loader.
std::string source_key(const SourceSpec& source, std::size_t index);
// For messages: its name, else its masked URL or path.
std::string source_label(const SourceSpec& source);

// Fetches all sources. What was remembered of them counts only while it was saved with the table's present
// generation and the same definition; `connection` may be null (nothing is remembered).
Result<Sources> fetch_sources(const Request& request, Environment& environment, Observer& observer,
                              sql::Connection* connection, const std::optional<upsert::TableState>& state,
                              std::stop_token stop);

// Remembers what the sources said, within the caller's transaction.
Result<void> save_source_states(const Request& request, const Sources& sources, sql::Connection& connection,
                                std::int64_t generation, Timestamp now);

// One file to decode: of which source, and what a look at its start told.
struct ProbedItem {
  decode::Input input;
  const DecodeSpec* spec = nullptr;
  std::size_t source = 0;
  decode::Probe probe;
};
Result<std::vector<ProbedItem>> probe_items(const LoaderSpec& loader, const Sources& sources,
                                            std::stop_token stop);

}  // namespace sluice::load
