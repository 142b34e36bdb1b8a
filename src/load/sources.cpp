#include "load/sources.h"

#include "base/secret.h"
#include "base/text.h"
#include "history/source_state.h"
#include "load/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace sluice::load {
namespace {

bool is_of(const history::SourceState& saved, const upsert::TableState& state) {
  return (saved.table.empty() || iequals(saved.table, state.table)) && saved.generation == state.generation;
}

Result<std::vector<fetch::Validators>> remembered(const Request& request, sql::Connection* connection,
                                                  const Memory& memory, const std::string& key) {
  std::vector<fetch::Validators> none;
  if (connection == nullptr || !memory.state || request.force) return none;
  SLUICE_TRY(const auto saved, history::source_state(*connection, memory.owner, key));
  // A key-less append would add the same bytes again after any edit of its definition.
  if (!saved || !is_of(*saved, *memory.state) ||
      (saved->config_hash != request.definition_hash && !adds_blindly(request.loader)))
    return none;
  return fetch::validators_from_json(saved->validators);
}

// Marks what the last run has added: of any source, since a list of sources may be sorted anew.
Result<void> leave_out(sql::Connection& connection, const Memory& memory, Sources& sources) {
  std::set<std::tuple<std::string, std::uint64_t, std::string>> added;
  SLUICE_TRY(const auto states, history::source_states(connection, memory.owner));
  for (const auto& state : states) {
    if (!is_of(state, *memory.state)) continue;
    SLUICE_TRY(const auto items, fetch::validators_from_json(state.validators));
    for (const auto& known : items) added.emplace(known.location, known.length, known.body_hash);
  }
  bool all = true;
  for (auto& pinned : sources.all) {
    for (const auto& item : pinned.fetched.items) {
      const auto& now = item.validators;
      // The place of an answer tells by whose credentials it came; the fetcher knows the same bytes all the
      // same.
      pinned.added_before.push_back(pinned.fetched.not_modified ||
                                    added.contains({now.location, now.length, now.body_hash}));
      all = all && pinned.added_before.back();
    }
  }
  if (!all) return {};
  // Some that were there are gone, or the list was sorted anew: nothing to add, but to be remembered so.
  sources.not_modified = true;
  sources.not_modified_count = static_cast<std::int64_t>(sources.all.size());
  for (auto& pinned : sources.all) pinned.validators_changed = !pinned.fetched.items.empty();
  return {};
}

std::vector<fetch::Validators> validators_of(const fetch::Fetched& fetched) {
  std::vector<fetch::Validators> result;
  result.reserve(fetched.items.size());
  for (const auto& item : fetched.items) result.push_back(item.validators);
  return result;
}

}  // namespace

bool adds_blindly(const LoaderSpec& loader) {
  return loader.mode == LoadMode::append && loader.target.key.empty();
}

Memory memory_of(const LoaderSpec& loader, const upsert::Inspection& found, const Custody& custody) {
  const bool trusted = found.mismatch.empty() || (adds_blindly(loader) && !found.first_load());
  return {trusted ? found.state : std::nullopt, custody.source_owner(loader)};
}

std::string source_key(const SourceSpec& source, std::size_t index) {
  return source.name.empty() ? std::to_string(index) : source.name;
}

fetch::SecretMask mask_of(const LoaderSpec& loader) {
  fetch::SecretMask mask;
  for (const auto& source : loader.sources) mask.add(fetch::mask_of(source));
  return mask;
}

std::string source_label(const SourceSpec& source) {
  if (!source.name.empty()) return source.name;
  return source.kind == SourceSpec::Kind::http ? shown_url(source) : source.file.filename().string();
}

Result<Sources> fetch_sources(const Request& request, Environment& environment, Observer& observer,
                              sql::Connection* connection, const Memory& memory, fetch::Traffic& traffic,
                              std::stop_token stop) {
  Sources result;
  std::uint64_t bytes_before = 0;
  fetch::Context context{.clock = environment.clock,
                         .spool_directory = environment.spool_directory,
                         .policy = environment.policy,
                         .log = [&](std::string line) { observer.log(Observer::Level::info, line); },
                         .progress =
                             [&](std::uint64_t bytes, std::optional<std::uint64_t> total) {
                               Observer::Progress progress;
                               progress.phase = Observer::Phase::fetch;
                               progress.bytes = static_cast<std::int64_t>(bytes_before + bytes);
                               if (total)
                                 progress.total_bytes = static_cast<std::int64_t>(bytes_before + *total);
                               observer.progress(progress);
                             },
                         .user_agent = environment.user_agent,
                         .random = {},
                         .connections = environment.connections,
                         .traffic = &traffic};
  const auto fetch_one = [&](std::size_t index,
                             const std::vector<fetch::Validators>& previous) -> Result<fetch::Fetched> {
    const auto& source = request.loader.sources[index];
    auto fetched = fetch::fetch(source, previous, context, stop);
    if (!fetched) {
      const auto label = source_label(source);
      if (fetched.error().where.find(label) != std::string::npos) return fetched;  // it says so itself
      return fail_within("fetch " + label, std::move(fetched).error());
    }
    bytes_before += static_cast<std::uint64_t>(fetched->bytes);
    observer.log(Observer::Level::info, fetched_line(source, *fetched));
    return fetched;
  };

  result.not_modified = !request.loader.sources.empty();
  for (std::size_t i = 0; i < request.loader.sources.size(); ++i) {
    SLUICE_TRY(const auto previous,
               remembered(request, connection, memory, source_key(request.loader.sources[i], i)));
    SLUICE_TRY(auto fetched, fetch_one(i, previous));
    result.not_modified = result.not_modified && fetched.not_modified;
    result.not_modified_count += fetched.not_modified ? 1 : 0;
    PinnedSource pinned{.index = i, .fetched = std::move(fetched)};
    pinned.validators_changed = !pinned.fetched.items.empty() && validators_of(pinned.fetched) != previous;
    result.all.push_back(std::move(pinned));
  }
  if (result.not_modified) return result;
  if (adds_blindly(request.loader)) {
    if (connection != nullptr && memory.state && !request.force)
      SLUICE_CHECK(leave_out(*connection, memory, result));
    return result;
  }
  // All sources are one comparison: those that answered "not modified" without bytes are needed all the same.
  result.not_modified_count = 0;
  for (auto& pinned : result.all) {
    if (!pinned.fetched.items.empty() || !pinned.fetched.not_modified) continue;
    SLUICE_TRY(pinned.fetched, fetch_one(pinned.index, {}));
  }
  return result;
}

Result<void> verify_sources(const Sources& sources, std::stop_token stop) {
  for (const auto& source : sources.all) {
    auto same = fetch::verify_pinned(source.fetched, stop);
    if (same) continue;
    Error error = std::move(same).error();
    // Not a conflict in the target: comparing again would read the same stale pin. The next attempt pins
    // anew.
    if (error.code == ErrorCode::conflict) error.code = ErrorCode::malformed;
    return std::unexpected(std::move(error));
  }
  return {};
}

Result<void> save_source_states(const Request& request, const Sources& sources, sql::Connection& connection,
                                std::int64_t generation, Timestamp now) {
  for (const auto& pinned : sources.all) {
    const auto key = source_key(request.loader.sources[pinned.index], pinned.index);
    history::SourceState state;
    if (pinned.fetched.items.empty()) {
      // A 304 confirmed what is remembered; only the generation moves on.
      SLUICE_TRY(const auto saved, history::source_state(connection, request.loader.name, key));
      if (!saved) continue;
      state = *saved;
    } else {
      state.validators = fetch::to_json(validators_of(pinned.fetched));
    }
    state.table = request.loader.target.table;
    state.config_hash = request.definition_hash;
    state.generation = generation;
    state.seen_at = now;
    SLUICE_CHECK(history::save_source_state(connection, request.loader.name, key, state));
  }
  return {};
}

namespace {

Result<ProbedItem> probe_item(const LoaderSpec& loader, const fetch::Item& item, std::size_t index,
                              bool left_out, const std::stop_token& stop) {
  const auto& source = loader.sources[index];
  ProbedItem probed;
  probed.input = {.file = item.file,
                  .name = item.name,
                  .content_type = item.content_type,
                  .source = index,
                  .local_file = source.kind == SourceSpec::Kind::file,
                  .max_bytes = source.max_bytes};
  probed.spec = &source.decode;
  probed.source = index;
  probed.left_out = left_out;
  if (left_out) return probed;
  SLUICE_TRY(probed.empty, decode::is_empty(probed.input));
  if (probed.empty && (probed.input.local_file || loader.guards.minimum_expected_records == 0)) return probed;
  SLUICE_TRY(probed.probe, decode::probe(probed.input, source.decode, stop));
  return probed;
}

}  // namespace

bool nothing_to_shape(const LoaderSpec& loader, const std::vector<ProbedItem>& items) {
  return loader.target.columns.empty() && std::all_of(items.begin(), items.end(), [](const auto& item) {
           const auto& probe = item.probe;
           return item.empty || item.left_out ||
                  (probe.complete && probe.sampled_records == 0 && probe.sampled_rejects == 0);
         });
}

Result<std::vector<ProbedItem>> probe_items(const LoaderSpec& loader, const Sources& sources,
                                            std::stop_token stop) {
  std::vector<ProbedItem> items;
  for (const auto& pinned : sources.all) {
    for (std::size_t i = 0; i < pinned.fetched.items.size(); ++i) {
      const auto& item = pinned.fetched.items[i];
      const bool left_out = i < pinned.added_before.size() && pinned.added_before[i];
      auto probed = probe_item(loader, item, pinned.index, left_out, stop);
      if (!probed) {
        Error error = std::move(probed).error();
        // A kind of file that cannot be read is the data's fault: the run failed, this machine lacks nothing.
        if (error.code == ErrorCode::unsupported) error.code = ErrorCode::malformed;
        return while_reading(item.name, std::move(error), mask_of(loader));
      }
      items.push_back(std::move(*probed));
    }
  }
  return items;
}

std::unexpected<Error> while_reading(std::string_view name, Error error, const fetch::SecretMask& mask) {
  error.message = mask.apply_to_cut(std::move(error.message));
  if (!error.where.starts_with(name)) return fail_within(fmt::format("read {}", name), std::move(error));
  error.where = "read " + error.where;
  return std::unexpected(std::move(error));
}

std::vector<std::string> empty_items(const std::vector<ProbedItem>& items) {
  std::vector<std::string> names;
  for (const auto& item : items) {
    if (item.empty) names.push_back(item.input.name);
  }
  return names;
}

std::vector<std::string> notes_on(const std::vector<ProbedItem>& items) {
  std::vector<std::string> notes;
  const auto left_out = std::ranges::count_if(items, &ProbedItem::left_out);
  if (left_out > 0)
    notes.push_back(fmt::format("{} of {} files were added by the last run as they are: not added again",
                                left_out, items.size()));
  for (const auto& item : items) {
    const auto& csv = item.probe.csv;
    if (item.empty) {
      notes.push_back(fmt::format("{} is empty (0 bytes of data)", item.input.name));
    } else if (csv.encoding_assumed && csv.encoding != decode::Encoding::utf8) {
      const auto encoding = decode::to_string(csv.encoding);
      notes.push_back(
          fmt::format("{} is not UTF-8: all of it is read as {}; state csv: {{encoding: {}}} if "
                      "that is right, or the encoding it is written in",
                      item.input.name, encoding, encoding));
    }
  }
  return notes;
}

}  // namespace sluice::load
