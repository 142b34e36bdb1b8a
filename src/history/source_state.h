// What the sources of a loader said when they were last loaded, for short-cuts.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "sql/connection.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::history {

// Valid only for the table and the generation of it that it was saved with.
struct SourceState {
  std::string table;        // loaded then; "" = not known (saved by an earlier program)
  std::string validators;   // JSON, see fetch::to_json
  std::string config_hash;  // of the definition's part that decides what is fetched and how it is read
  std::int64_t generation = 0;
  Timestamp seen_at{};
};
// `source` is the source's name or number, unique in the loader. Nothing before prepare_history.
Result<std::optional<SourceState>> source_state(sql::Connection& connection, std::string_view loader,
                                                std::string_view source);
// Of all sources that the loader has or had.
Result<std::vector<SourceState>> source_states(sql::Connection& connection, std::string_view loader);
Result<void> save_source_state(sql::Connection& connection, std::string_view loader, std::string_view source,
                               const SourceState& state);
// Forgets what the loader's sources said: the next run fetches and compares everything.
Result<void> clear_source_states(sql::Connection& connection, std::string_view loader);

}  // namespace sluice::history
