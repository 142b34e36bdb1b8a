// Step 1 of a run: every source pinned, and whether all of them are the same bytes as at the last load.
#pragma once

#include "decode/decode.h"
#include "fetch/fetch.h"
#include "fetch/secret_mask.h"
#include "load/custody.h"
#include "load/run.h"
#include "sql/connection.h"
#include "upsert/table_state.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::load {

struct PinnedSource {
  std::size_t index = 0;  // into LoaderSpec::sources
  fetch::Fetched fetched;
  bool validators_changed =
      false;  // same bytes, but what is remembered of them is out of date (a touched file)
  // One an item, where the loader adds blindly: the last run has added these very bytes.
  std::vector<bool> added_before;
};

struct Sources {
  std::vector<PinnedSource> all;
  bool not_modified = false;  // every one of them
  std::int64_t not_modified_count = 0;
};

// An append without a key adds whatever it reads; so it must not read what the last run has added.
bool adds_blindly(const LoaderSpec& loader);

// The name under which a source's state is kept with the loader.
std::string source_key(const SourceSpec& source, std::size_t index);
// What the requests of all sources send and nobody should see.
fetch::SecretMask mask_of(const LoaderSpec& loader);
// For messages: its name, else its masked URL or path.
std::string source_label(const SourceSpec& source);

// What is remembered of the sources counts only while it was saved with this table at this generation.
struct Memory {
  std::optional<upsert::TableState> state;  // nothing = no short-cut
  std::string owner;                        // the loader under whose name it was saved
};

// An append without a key trusts its memory whoever edited the table: the same bytes must not be added twice.
Memory memory_of(const LoaderSpec& loader, const upsert::Inspection& found, const Custody& custody);

// Fetches all sources. What was remembered of them counts only with the same definition, too; `connection`
// may be null (nothing is remembered). `traffic` counts as it happens: it is true of a fetch that fails too.
Result<Sources> fetch_sources(const Request& request, Environment& environment, Observer& observer,
                              sql::Connection* connection, const Memory& memory, fetch::Traffic& traffic,
                              std::stop_token stop);

// The pinned bytes are still those that were read.
Result<void> verify_sources(const Sources& sources, std::stop_token stop);

// Remembers what the sources said, within the caller's transaction.
Result<void> save_source_states(const Request& request, const Sources& sources, sql::Connection& connection,
                                std::int64_t generation, Timestamp now);

// One file to decode: of which source, and what a look at its start told.
struct ProbedItem {
  decode::Input input;
  const DecodeSpec* spec = nullptr;
  std::size_t source = 0;
  decode::Probe probe;
  bool empty = false;     // not one byte in it: no record, and nothing that could tell a table's columns
  bool left_out = false;  // added by the last run, and not to be added again: neither looked at nor read
};
// No record anywhere, not even one that would be rejected, and no definition that says the columns: a table
// that is not there yet cannot be given any. An empty source is then for the guards to judge.
bool nothing_to_shape(const LoaderSpec& loader, const std::vector<ProbedItem>& items);
inline constexpr std::string_view kNothingToShape =
    "the sources hold no record: the table is created when there is one";

// An empty local file is a source without records, for the guards to judge. An empty answer is a transient
// error, unless the definition expects none (minimumExpectedRecords: 0).
Result<std::vector<ProbedItem>> probe_items(const LoaderSpec& loader, const Sources& sources,
                                            std::stop_token stop);
// Puts "read NAME" in front of an error of decode, which may begin with the name itself. What it quotes of
// the source may repeat what was sent to get it: `mask` takes that out.
std::unexpected<Error> while_reading(std::string_view name, Error error, const fetch::SecretMask& mask);

// For the receipt: files without a byte, and those whose encoding was concluded from their bytes.
std::vector<std::string> notes_on(const std::vector<ProbedItem>& items);
// The items that have no byte, by name.
std::vector<std::string> empty_items(const std::vector<ProbedItem>& items);

}  // namespace sluice::load
