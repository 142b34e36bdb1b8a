#include "load/mapping.h"

#include "base/text.h"
#include "decode/infer.h"
#include "upsert/table_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace sluice::load {
namespace {

bool same_field(std::string_view a, std::string_view b, bool any_case) {
  return any_case ? iequals(a, b) : a == b;
}

// Everything seen of each field over all sources, in order of first appearance.
std::vector<decode::Observed> merge_seen(const std::vector<decode::Probe>& seen, bool any_case) {
  std::vector<decode::Observed> merged;
  std::unordered_map<std::string, std::size_t> by_name;
  for (const auto& probe : seen) {
    for (const auto& field : probe.columns) {
      const auto [at, fresh] = by_name.emplace(any_case ? to_lower(field.name) : field.name, merged.size());
      if (fresh) {
        merged.push_back(field);
        continue;
      }
      auto& earlier = merged[at->second];
      decode::Inference both;
      both.add_observed(earlier);
      both.add_observed(field);
      earlier = both.result(earlier.name);
    }
  }
  return merged;
}

void take_type(Column& column, const decode::Observed& observed) {
  column.type = observed.all_null ? ValueType::text : observed.type;
  column.precision = observed.precision;
  column.scale = observed.scale;
  column.wide = column.type == ValueType::decimal && (column.wide || observed.wide);
}

const decode::Observed* find_field(const std::vector<decode::Observed>& fields, std::string_view name,
                                   bool any_case) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& f) { return same_field(f.name, name, any_case); });
  return found == fields.end() ? nullptr : &*found;
}

Column declared_column(const ColumnSpec& spec, const Schema* pinned,
                       const std::vector<decode::Observed>& fields, bool any_case,
                       std::set<std::string>& strict) {
  Column column{.id = 0,
                .name = spec.name,
                .from = spec.from.empty() ? spec.name : spec.from,
                .type = ValueType::text,
                .precision = spec.precision,
                .scale = spec.scale,
                .required = spec.required};
  const auto at = pinned != nullptr ? pinned->find(spec.name) : std::nullopt;
  const auto* const before = at ? &pinned->columns[*at] : nullptr;
  const auto* const field = find_field(fields, column.from, any_case);
  if (spec.type) {
    column.type = *spec.type;
    const bool wide = (before != nullptr && before->wide) || (field != nullptr && field->wide);
    column.wide = wide && column.type == ValueType::decimal;
    strict.insert(spec.name);
    return column;
  }
  if (before != nullptr) {
    column.type = before->type;
    column.precision = before->precision;
    column.scale = before->scale;
    column.wide = before->wide;
  } else if (field != nullptr) {
    take_type(column, *field);
  }
  return column;
}

// Names of one table may not differ in case only: SQLite would take them for the same column.
Result<void> check_names(const Schema& schema) {
  std::map<std::string, std::string> by_folded;
  for (const auto& column : schema.columns) {
    const auto [at, fresh] = by_folded.emplace(to_lower(column.name), column.from);
    if (!fresh) {
      return fail(
          ErrorCode::invalid_definition,
          fmt::format(
              "the fields \"{}\" and \"{}\" would be one column \"{}\"; give one of them another name under "
              "columns: {{NAME: {{from: \"{}\"}}}}",
              at->second, column.from, column.name, column.from));
    }
  }
  return {};
}

// The fields that columns are read from, by what the definition and the last load say.
std::vector<std::string> known_fields(const LoaderSpec& loader, const Schema* pinned) {
  std::vector<std::string> known;
  std::set<std::string, std::less<>> declared;
  for (const auto& spec : loader.target.columns) {
    known.push_back(spec.from.empty() ? spec.name : spec.from);
    declared.insert(spec.name);
  }
  if (pinned == nullptr || loader.target.closed_columns) return known;
  for (const auto& column : pinned->columns) {
    if (!declared.contains(column.name)) known.push_back(column.from);
  }
  return known;
}

// A pinned column that every source spells otherwise now is read by that spelling from here on; for the
// others the spelling of each item is kept, and told.
void settle_spellings(const LoaderSpec& loader, const std::vector<decode::Probe>& seen, const Schema* pinned,
                      Mapping& mapping) {
  std::map<std::string, std::set<std::string>> used;  // field as known -> its spellings
  for (std::size_t item = 0; item < seen.size(); ++item) {
    const auto& spelled = mapping.spellings[item];
    for (const auto& field : seen[item].columns) {
      const auto at = spelled.find(field.name);
      used[field.name].insert(at == spelled.end() ? field.name : at->second);
    }
  }
  for (auto& column : mapping.wanted.columns) {
    const auto at = used.find(column.from);
    if (at == used.end() || (at->second.size() == 1 && at->second.contains(column.from))) continue;
    mapping.notes.push_back(
        fmt::format("the sources spell the field \"{}\" of column {} as {}: taken for the "
                    "same field",
                    column.from, column.name, fmt::format("\"{}\"", fmt::join(at->second, "\", \""))));
    const bool declared = std::any_of(loader.target.columns.begin(), loader.target.columns.end(),
                                      [&](const auto& spec) { return spec.name == column.name; });
    if (at->second.size() > 1 || declared || pinned == nullptr) continue;
    for (auto& spelled : mapping.spellings) spelled.erase(column.from);
    column.from = *at->second.begin();
  }
}

Result<void> resolve_key(Schema& schema, const LoaderSpec& loader) {
  schema.key.clear();
  for (const auto& name : loader.target.key) {
    auto at = schema.find(name);
    if (!at && loader.target.case_insensitive_fields) {
      const auto found = std::find_if(schema.columns.begin(), schema.columns.end(),
                                      [&](const auto& c) { return iequals(c.name, name); });
      if (found != schema.columns.end()) at = static_cast<std::size_t>(found - schema.columns.begin());
    }
    if (!at) {
      std::vector<std::string_view> names;
      names.reserve(schema.columns.size());
      for (const auto& column : schema.columns) names.push_back(column.name);
      const auto near = nearest(name, names);
      return fail(
          ErrorCode::invalid_definition,
          fmt::format("the key \"{}\" is no column of the source; it has {}{}", name, fmt::join(names, ", "),
                      near.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", near)));
    }
    schema.key.push_back(*at);
  }
  return {};
}

// Two numbers that a double does not tell apart would be one row; what a decimal says of 1.10 and 1.1 is for
// data, not for keys.
Result<void> settle_keys(Schema& schema, const std::set<std::string>& strict, const Schema* pinned) {
  for (const auto index : schema.key) {
    auto& column = schema.columns[index];
    if (strict.contains(column.name)) {
      if (column.type != ValueType::real) continue;
      return fail(ErrorCode::invalid_definition,
                  fmt::format("the key \"{}\" is declared double, which would make one row of two keys that "
                              "differ in their last digits: declare decimal or text",
                              column.name));
    }
    if (column.type != ValueType::decimal && column.type != ValueType::real) continue;
    const auto at = pinned != nullptr ? pinned->find(column.name) : std::nullopt;
    if (at && pinned->columns[*at].type == column.type) continue;
    column.type = ValueType::text;
    column.precision = column.scale = 0;
    column.wide = false;
  }
  return {};
}

// A field that the start of its item did not show, and that is a known field of another spelling.
bool spelled_late(Mapping& mapping, std::size_t item, const std::string& field) {
  const Column* meant = nullptr;
  for (const auto& column : mapping.wanted.columns) {
    if (column.from == field) return false;
    if (iequals(column.from, field)) meant = &column;
  }
  if (meant == nullptr || mapping.seen_fields.at(item).contains(meant->from)) return false;
  if (!mapping.spellings.at(item).emplace(meant->from, field).second) return false;
  mapping.notes.push_back(
      fmt::format("the sources spell the field \"{}\" of column {} as \"{}\" too: taken for the "
                  "same field",
                  meant->from, meant->name, field));
  return true;
}

// Keeps decimals honest: room for all digits before and after the point.
void widen_column(Column& column, const decode::Observed& needed, bool declared) {
  if (declared) {
    column.wide = column.wide || needed.wide;
    return;
  }
  decode::Observed present;
  present.name = column.name;
  present.type = column.type;
  present.precision = column.precision;
  present.scale = column.scale;
  present.wide = column.wide;
  present.all_null = false;
  decode::Inference both;
  both.add_observed(present);
  both.add_observed(needed);
  take_type(column, both.result(column.name));
}

// The rows that are there keep their digits: where they would not in the type that all values seen suggest,
// it is text.
void keep_stored_values(Mapping& mapping, const Schema& pinned) {
  for (auto& column : mapping.wanted.columns) {
    const auto at = pinned.find(column.name);
    if (!at || mapping.strict.contains(column.name)) continue;
    if (upsert::can_widen(pinned.columns[*at], column, false)) continue;
    column.type = ValueType::text;
    column.precision = column.scale = 0;
    column.wide = false;
  }
}

}  // namespace

Result<Mapping> map_columns(const LoaderSpec& loader, const std::vector<decode::Probe>& seen,
                            const std::vector<std::string>& labels, const Schema* pinned) {
  const bool any_case = loader.target.case_insensitive_fields;
  Spelled spelled{.seen = seen, .spellings = Spellings(seen.size())};
  if (!any_case) {
    SLUICE_TRY(spelled, match_spelling(seen, known_fields(loader, pinned), labels));
  }
  const auto fields = merge_seen(spelled.seen, any_case);
  Mapping mapping;
  std::set<std::string> used_fields;
  const auto use = [&](Column column) {
    if (const auto* field = find_field(fields, column.from, any_case)) used_fields.insert(field->name);
    mapping.wanted.columns.push_back(std::move(column));
  };
  for (const auto& spec : loader.target.columns) {
    use(declared_column(spec, pinned, fields, any_case, mapping.strict));
  }
  if (loader.target.closed_columns) {
    mapping.ignore_new_fields = true;
  } else {
    if (pinned != nullptr) {
      for (const auto& column : pinned->columns) {
        const bool source_taken = used_fields.contains(column.from);
        if (!mapping.wanted.find(column.name) && !source_taken) use(column);
      }
    }
    // "ignore" means: only what is declared, or, where nothing is, what the first load found.
    const bool add =
        loader.new_columns == NewColumns::add || (pinned == nullptr && loader.target.columns.empty());
    for (const auto& field : fields) {
      if (used_fields.contains(field.name)) continue;
      const bool is_key = std::find(loader.target.key.begin(), loader.target.key.end(), field.name) !=
                          loader.target.key.end();
      if (!add) {
        mapping.ignored_fields.push_back(field.name);
      } else if (!field.all_null || is_key) {
        Column column{.id = 0,
                      .name = field.name,
                      .from = field.name,
                      .type = ValueType::text,
                      .precision = 0,
                      .scale = 0,
                      .required = false};
        take_type(column, field);
        mapping.wanted.columns.push_back(std::move(column));
      }
    }
    mapping.ignore_new_fields = !add;
  }
  if (mapping.wanted.columns.empty()) {
    return fail(ErrorCode::malformed, "the source has no field with a value: nothing to load");
  }
  SLUICE_CHECK(check_names(mapping.wanted));
  SLUICE_CHECK(resolve_key(mapping.wanted, loader));
  SLUICE_CHECK(settle_keys(mapping.wanted, mapping.strict, pinned));
  mapping.spellings = std::move(spelled.spellings);
  for (const auto& probe : seen) {
    auto& names = mapping.seen_fields.emplace_back();
    for (const auto& field : probe.columns) names.insert(field.name);
  }
  settle_spellings(loader, spelled.seen, pinned, mapping);
  return mapping;
}

Result<Mapping> widen(const Mapping& mapping, const LoaderSpec& loader,
                      const std::vector<const decode::Findings*>& found, const Schema& used,
                      const Schema* pinned) {
  Mapping next = mapping;
  const auto widen_at = [&](std::size_t at, const decode::Observed& needed) {
    auto& column = next.wanted.columns[at];
    widen_column(column, needed, mapping.strict.contains(column.name));
  };
  for (std::size_t item = 0; item < found.size(); ++item) {
    const auto* const findings = found[item];
    for (const auto& [index, needed] : findings->misfits) {
      const auto at = next.wanted.find(used.columns.at(index).name);
      if (at) widen_at(*at, needed);
    }
    for (const auto& field : findings->new_fields) {
      if (field.all_null || mapping.ignore_new_fields) continue;
      if (spelled_late(next, item, field.name)) continue;
      const auto at = next.wanted.find(field.name);
      if (at) {
        widen_at(*at, field);
        continue;
      }
      Column column{.id = 0,
                    .name = field.name,
                    .from = field.name,
                    .type = ValueType::text,
                    .precision = 0,
                    .scale = 0,
                    .required = false};
      take_type(column, field);
      next.wanted.columns.push_back(std::move(column));
    }
  }
  SLUICE_CHECK(check_names(next.wanted));
  SLUICE_CHECK(resolve_key(next.wanted, loader));
  SLUICE_CHECK(settle_keys(next.wanted, next.strict, pinned));
  if (pinned != nullptr) keep_stored_values(next, *pinned);
  return next;
}

}  // namespace sluice::load
