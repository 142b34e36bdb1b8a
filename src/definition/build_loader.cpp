#include "base/text.h"
#include "definition/build.h"
#include "definition/column_type.h"
#include "definition/scalar.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::definition {
namespace {

constexpr std::size_t kLongestName = 128;

void check_table(Context& context, const Node& place, std::string_view table) {
  if (trim(table).empty()) {
    context.error(place, "the table has no name");
  } else if (to_lower(table).starts_with("_sluice_")) {
    context.error(
        place, fmt::format("\"{}\": tables that begin with _sluice_ are Sluice's own", printable(table, 60)));
  } else if (to_lower(table).starts_with("sqlite_")) {
    context.error(place,
                  fmt::format("\"{}\": SQLite keeps names that begin with sqlite_", printable(table, 60)));
  } else if (table.size() > kLongestName) {
    context.error(place, fmt::format("the table's name is longer than {} bytes", kLongestName));
  }
}

void add_columns(Context& context, const Node* columns, TargetSpec& target) {
  if (columns == nullptr) return;
  for (const auto& [key, node] : columns->entries) {
    ColumnSpec column;
    column.name = key->value;
    column.place = key->place();
    if (const Node* type = child(node, "type")) {
      if (const auto parsed = parse_column_type(type->value)) {
        column.type = parsed->type;
        column.precision = parsed->precision;
        column.scale = parsed->scale;
      }
    }
    column.from = text_of(node, "from");
    column.required = boolean_of(node, "required", false);
    if (trim(column.name).empty()) context.error(*key, "a column without a name");
    if (to_lower(column.name).starts_with("_sluice_"))
      context.error(*key, "columns that begin with _sluice_ are Sluice's own");
    const auto same = std::find_if(target.columns.begin(), target.columns.end(),
                                   [&](const ColumnSpec& other) { return iequals(other.name, column.name); });
    if (same == target.columns.end()) {
      target.columns.push_back(std::move(column));
    } else if (same->place.file == column.place.file) {
      context.error(*key, fmt::format("the column \"{}\" is given twice", printable(column.name, 60)),
                    "names of columns differ in more than case");
    } else {
      *same = std::move(column);  // the loader's word over the entity's
    }
  }
}

TargetSpec build_target(Context& context, const Node& loader, const Known& known, const std::string& name) {
  TargetSpec target;
  const Node* node = child(&loader, "target");
  const Node* place = &loader;
  if (const Node* entity = child(node, "entity")) {
    place = entity;
    const auto found = find_named(known.entities, entity->value, context.nox);
    if (found != known.entities.end()) {
      target = found->second.target;
    } else if (const auto broken = find_named(known.broken_entities, entity->value, context.nox);
               broken != known.broken_entities.end()) {
      context.error(*entity,
                    fmt::format("the entity \"{}\" is not valid (see {})", entity->value, broken->second));
    } else {
      std::vector<std::string_view> names;
      names.reserve(known.entities.size());
      for (const auto& [other, known_entity] : known.entities) names.push_back(other);
      context.error(*entity, fmt::format("there is no entity \"{}\"", printable(entity->value, 60)),
                    names.empty() ? fmt::format("define it in {}.entity.yaml", printable(entity->value, 60))
                                  : suggest(entity->value, names));
    }
  }
  if (const Node* table = child(node, "table")) {
    place = table;
    target.table = table->value;
  } else if (target.table.empty()) {
    target.table = snake_case(name);
    if (const Node* named = child(&loader, "name")) place = named;
  }
  if (child(node, "schema") != nullptr) target.schema = text_of(node, "schema");
  if (const Node* database = child(node, "database"))
    target.database = build_database_url(context, *database);
  if (!name.empty()) check_table(context, *place, target.table);
  add_columns(context, child(&loader, "columns"), target);
  return target;
}

void check_key(Context& context, const Node& loader, LoaderSpec& spec) {
  const Node* key = child(&loader, "key");
  if (key != nullptr) spec.target.key = texts_of(&loader, "key");
  auto& names = spec.target.key;
  if (names.empty()) {
    // An entity that could not be used is a problem of its own; it would have said the key.
    const bool entity_unknown =
        child(child(&loader, "target"), "entity") != nullptr && spec.target.columns.empty();
    if (!entity_unknown && !loader.lost("key") && spec.mode != LoadMode::append &&
        spec.mode != LoadMode::replace)
      context.error(key == nullptr ? loader : *key,
                    fmt::format("mode {} needs \"key\": the column or columns that identify a row",
                                to_string(spec.mode)),
                    "or load: append, load: replace");
    return;
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Node& at = key == nullptr ? loader : *key->entries[i].value;
    if (trim(names[i]).empty()) context.error(at, "a key column without a name");
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i))
      context.error(at, fmt::format("the key names \"{}\" twice", printable(names[i], 60)));
    if (spec.target.columns.empty()) continue;
    std::vector<std::string_view> columns;
    std::string_view renamed;
    bool found = false;
    bool rounds = false;
    for (auto& column : spec.target.columns) {
      columns.push_back(column.name);
      if (column.name == names[i]) found = true;
      if (column.from == names[i]) renamed = column.name;
      if (!found && spec.target.case_insensitive_fields && iequals(column.name, names[i])) {
        names[i] = column.name;
        found = true;
      }
      rounds = rounds || (column.name == names[i] && column.type == ValueType::real);
    }
    if (rounds) {
      context.error(at,
                    fmt::format("the key column \"{}\" is declared double, which would make one row of two "
                                "keys that differ in their last digits",
                                printable(names[i], 60)),
                    "declare decimal or text");
    }
    if (found) continue;
    context.error(at,
                  fmt::format("the key column \"{}\" is not mapped: it is not under \"columns\"",
                              printable(names[i], 60)),
                  !renamed.empty() ? fmt::format("did you mean \"{}\"?", renamed)
                  : nearest(names[i], columns).empty()
                      ? fmt::format("add \"{}:\" to the columns", printable(names[i], 60))
                      : suggest(names[i], columns));
  }
}

void build_load(Context& context, const Node& loader, LoaderSpec& spec) {
  const Node* load = child(&loader, "load");
  const Node* strategy = child(&loader, "loadStrategy");
  for (const auto mode : {LoadMode::sync, LoadMode::upsert, LoadMode::append, LoadMode::replace}) {
    if (to_string(mode) == text_of(load, "mode")) spec.mode = mode;
  }
  for (const auto vanished : {Vanished::keep, Vanished::soft_delete, Vanished::remove}) {
    if (to_string(vanished) == text_of(load, "vanished")) spec.vanished = vanished;
  }
  for (const auto log : {ChangeLog::off, ChangeLog::keys, ChangeLog::full}) {
    if (to_string(log) == text_of(load, "changeLog")) spec.change_log = log;
  }
  if (strategy != nullptr) {
    const Node* mode = child(load, "mode");
    if (mode != nullptr && mode->file == strategy->file)
      context.error(*strategy, "\"loadStrategy\" and \"load.mode\" say the same thing", "keep one of them");
    spec.mode = text_of(strategy, "type") == "DropAndLoad" ? LoadMode::replace : LoadMode::upsert;
    if (spec.mode == LoadMode::upsert) spec.cursor_columns = texts_of(strategy, "columns");
  }
  if (const Node* vanished = child(load, "vanished"); vanished != nullptr && spec.mode != LoadMode::sync &&
                                                      spec.vanished != Vanished::keep &&
                                                      vanished->file == loader.file)
    context.error(*vanished, fmt::format("mode {} does not look for vanished rows", to_string(spec.mode)),
                  "vanished belongs to mode sync");
}

std::optional<Limit> limit_of(const Node* guards, std::string_view key, std::optional<Limit> fallback) {
  const Node* node = child(guards, key);
  if (node == nullptr) return fallback;
  return node->value == "off" ? std::nullopt : parse_limit(node->value);
}

void build_guards(Context& context, const Node& loader, LoaderSpec& spec) {
  const Node* guards = child(&loader, "guards");
  spec.guards.minimum_expected_records = integer_of(guards, "minimumExpectedRecords");
  spec.guards.minimum_warns = context.nox;
  spec.guards.max_deletes = limit_of(guards, "maxDeletes", spec.guards.max_deletes);
  spec.guards.max_shrink = limit_of(guards, "maxShrink", spec.guards.max_shrink);
  spec.guards.max_rejects = limit_of(guards, "maxRejects", spec.guards.max_rejects);
  if (text_of(guards, "onBreach") == "warn") spec.guards.on_breach = OnBreach::warn;
  const Node* deletes = child(guards, "maxDeletes");
  const bool deletes_rows =
      spec.mode == LoadMode::replace || (spec.mode == LoadMode::sync && spec.vanished != Vanished::keep);
  if (deletes != nullptr && deletes->file == loader.file && deletes->value != "off" && !deletes_rows)
    context.warn(*deletes, "maxDeletes guards nothing: this loader deletes no rows",
                 "with mode sync, load.vanished says that vanished rows are deleted");
}

}  // namespace

void check_name(Context& context, const Node* node) {
  if (node == nullptr) return;
  const auto& name = node->value;
  const bool control = std::any_of(name.begin(), name.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (name.size() > kLongestName) {
    context.error(*node, fmt::format("the name is longer than {} bytes", kLongestName));
  } else if (control || name.find_first_of("/\\") != std::string::npos || trim(name) != name) {
    context.error(*node, fmt::format("\"{}\" cannot be a name", printable(name, 60)),
                  "no slashes, line breaks or blanks around it");
  }
}

LoaderSpec build_loader(Context& context, const Node& loader, const Known& known) {
  LoaderSpec spec;
  spec.nox = context.nox;
  spec.place = child(&loader, "name") == nullptr ? loader.place() : child(&loader, "name")->place();
  spec.name = text_of(&loader, "name");
  check_name(context, child(&loader, "name"));
  spec.description = text_of(&loader, "description");
  spec.tags = texts_of(&loader, "tags");
  spec.enabled = boolean_of(&loader, "enabled", true);
  build_load(context, loader, spec);
  if (text_of(child(&loader, "contract"), "newColumns") == "ignore") spec.new_columns = NewColumns::ignore;
  spec.target = build_target(context, loader, known, spec.name);
  check_key(context, loader, spec);
  if (const Node* sources = child(&loader, "source"); sources != nullptr && !sources->entries.empty()) {
    for (const auto& entry : sources->entries)
      spec.sources.push_back(build_source(context, *entry.value, known));
  } else if (!loader.lost("source")) {
    context.error(loader, "a loader needs \"source\": where its records come from",
                  "write source: https://… or source: {file: PATH}");
  }
  build_guards(context, loader, spec);
  const Node* rejects = child(&loader, "rejects");
  spec.rejects.keep = duration_of(rejects, "keep").value_or(spec.rejects.keep);
  if (const auto sample = integer_of(rejects, "sample")) spec.rejects.sample = static_cast<int>(*sample);
  spec.rejects.raw = boolean_of(rejects, "raw", spec.rejects.raw);
  if (const Node* memory = child(&loader, "memoryLimit")) {
    constexpr std::uint64_t kLeast = 16ull << 20;
    spec.memory_limit = parse_size(memory->value).value_or(spec.memory_limit);
    if (spec.memory_limit < kLeast) context.error(*memory, "memoryLimit: a run needs at least 16MiB");
  }
  return spec;
}

}  // namespace sluice::definition
