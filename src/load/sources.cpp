#include "load/sources.h"

#include "base/secret.h"
#include "base/text.h"
#include "history/source_state.h"
#include "load/run_log.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::load {
namespace {

Result<std::vector<fetch::Validators>> remembered(const Request& request, sql::Connection* connection,
                                                  const Memory& memory, const std::string& key) {
  std::vector<fetch::Validators> none;
  const auto& state = memory.state;
  if (connection == nullptr || !state || request.force) return none;
  // A key-less append would add the same bytes again after any edit of its definition.
  const bool adds_blindly = request.loader.mode == LoadMode::append && request.loader.target.key.empty();
  SLUICE_TRY(const auto saved, history::source_state(*connection, memory.owner, key));
  const bool same_table = saved && (saved->table.empty() || iequals(saved->table, state->table));
  if (!same_table || saved->generation != state->generation ||
      (saved->config_hash != request.definition_hash && !adds_blindly))
    return none;
  return fetch::validators_from_json(saved->validators);
}

std::vector<fetch::Validators> validators_of(const fetch::Fetched& fetched) {
  std::vector<fetch::Validators> result;
  result.reserve(fetched.items.size());
  for (const auto& item : fetched.items) result.push_back(item.validators);
  return result;
}

}  // namespace

std::string source_key(const SourceSpec& source, std::size_t index) {
  return source.name.empty() ? std::to_string(index) : source.name;
}

std::string source_label(const SourceSpec& source) {
  if (!source.name.empty()) return source.name;
  return source.kind == SourceSpec::Kind::http ? mask_url(source.url) : source.file.filename().string();
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
                              const std::stop_token& stop) {
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
  SLUICE_TRY(probed.empty, decode::is_empty(probed.input));
  if (probed.empty && (probed.input.local_file || loader.guards.minimum_expected_records == 0)) return probed;
  SLUICE_TRY(probed.probe, decode::probe(probed.input, source.decode, stop));
  return probed;
}

}  // namespace

bool nothing_to_shape(const LoaderSpec& loader, const std::vector<ProbedItem>& items) {
  return loader.target.columns.empty() && std::all_of(items.begin(), items.end(), [](const auto& item) {
           const auto& probe = item.probe;
           return item.empty || (probe.complete && probe.sampled_records == 0 && probe.sampled_rejects == 0);
         });
}

Result<std::vector<ProbedItem>> probe_items(const LoaderSpec& loader, const Sources& sources,
                                            std::stop_token stop) {
  std::vector<ProbedItem> items;
  for (const auto& pinned : sources.all) {
    for (const auto& item : pinned.fetched.items) {
      auto probed = probe_item(loader, item, pinned.index, stop);
      if (!probed) {
        Error error = std::move(probed).error();
        // A kind of file that cannot be read is the data's fault: the run failed, this machine lacks nothing.
        if (error.code == ErrorCode::unsupported) error.code = ErrorCode::malformed;
        return while_reading(item.name, std::move(error));
      }
      items.push_back(std::move(*probed));
    }
  }
  return items;
}

std::unexpected<Error> while_reading(std::string_view name, Error error) {
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
