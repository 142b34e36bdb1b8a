#include "base/text.h"
#include "definition/column_type.h"
#include "definition/context.h"
#include "definition/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace sluice::definition {
namespace {

std::string kind_name(const Node& node) {
  return node.is_map() ? "a map" : node.is_list() ? "a list" : node.is_null() ? "empty" : "text";
}

// What may be written instead of a choice of a later stage.
std::string available(const Field& field) {
  std::vector<std::string_view> values;
  for (const auto& choice : field.choices) {
    if (choice.stage == Stage::now) values.push_back(choice.value);
  }
  return values.size() == 1 ? fmt::format("only {} is", values.front())
                            : fmt::format("one of {} is", fmt::join(values, ", "));
}

bool check_choice(Context& context, const Field& field, Node& node) {
  if (field.takes_boolean) {
    if (const auto flag = parse_boolean(node.value); flag && node.plain) {
      const bool spelled = std::any_of(field.choices.begin(), field.choices.end(),
                                       [](const Choice& choice) { return choice.value == "true"; });
      node.value = spelled ? (*flag ? "true" : "false") : (*flag ? "always" : "never");
      return true;
    }
  }
  std::vector<std::string_view> values;
  for (const auto& choice : field.choices) {
    const bool begun = !choice.begins.empty() && node.value.starts_with(choice.begins);
    if (begun || choice.value == node.value || (context.nox && iequals(choice.value, node.value))) {
      if (choice.stage == Stage::later) {
        context.error(node, fmt::format("{}: {} is not available yet", field.key, shown(node)),
                      available(field));
        return false;
      }
      node.value = choice.value;
      return true;
    }
    if (choice.stage == Stage::now) values.push_back(choice.value);
  }
  context.error(node, fmt::format("{}: {} is not a choice", field.key, shown(node)),
                suggest(node.value, values));
  return false;
}

bool check_boolean(Context& context, const Field& field, Node& node) {
  auto flag = parse_boolean(node.value);
  if (!flag && context.nox) flag = parse_nox_boolean(node.value);
  if (flag) {
    node.value = *flag ? "true" : "false";
    return true;
  }
  context.error(node, fmt::format("{}: {} is neither true nor false", field.key, shown(node)),
                parse_nox_boolean(node.value) ? fmt::format("in YAML 1.2 {} is text; write {}", node.value,
                                                            *parse_nox_boolean(node.value) ? "true" : "false")
                                              : "");
  return false;
}

bool check_integer(Context& context, const Field& field, const Node& node) {
  const auto value = parse_integer(node.value);
  if (!value) {
    context.error(node, fmt::format("{}: {} is not a whole number", field.key, shown(node)));
    return false;
  }
  if (*value >= field.least && *value <= field.most) return true;
  context.error(node, *value < field.least
                          ? fmt::format("{}: {} is below {}", field.key, *value, field.least)
                          : fmt::format("{}: {} is above {}", field.key, *value, field.most));
  return false;
}

bool check_duration(Context& context, const Field& field, Node& node) {
  if (field.seconds) {
    if (const auto seconds = parse_integer(node.value); seconds && *seconds >= 0) node.value += "s";
  }
  if (parse_duration(node.value)) return true;
  const bool bare = parse_integer(node.value).has_value();
  context.error(node, fmt::format("{}: {} is not a duration", field.key, shown(node)),
                bare ? fmt::format("give the unit: {}s, {}m, {}h", node.value, node.value, node.value)
                     : "write 30s, 5m, 2h, 7d");
  return false;
}

bool check_limit(Context& context, const Field& field, const Node& node) {
  if (node.value == "off") return true;
  const auto limit = parse_limit(node.value);
  if (!limit) {
    context.error(node, fmt::format("{}: {} is neither a share nor a count", field.key, shown(node)),
                  "write 5%, 100 or off");
    return false;
  }
  if (!limit->share || limit->value <= 1) return true;
  context.error(node, fmt::format("{}: a share above 100% can never be reached", field.key),
                "write off to switch the guard off");
  return false;
}

// Checks one scalar against its field; may rewrite it to its canonical form.
bool check_scalar(Context& context, const Field& field, Node& node) {
  switch (field.type) {
    case Type::boolean:
      return check_boolean(context, field, node);
    case Type::integer:
    case Type::integers:
      return check_integer(context, field, node);
    case Type::duration:
      return check_duration(context, field, node);
    case Type::size:
      if (parse_size(node.value)) return true;
      context.error(node, fmt::format("{}: {} is not a size", field.key, shown(node)), "write 64MiB, 2GiB");
      return false;
    case Type::limit:
      return check_limit(context, field, node);
    case Type::character:
      if (node.value == "auto" || node.value == "none" || parse_character(node.value)) return true;
      context.error(node, fmt::format("{}: {} is not one character", field.key, shown(node)),
                    "write one character in quotes, tab, or auto");
      return false;
    case Type::choice:
      return check_choice(context, field, node);
    case Type::column_type: {
      const auto type = parse_column_type(node.value);
      if (type) return true;
      context.error(node, fmt::format("{}: {}", field.key, type.error().message), type.error().suggestion);
      return false;
    }
    default:
      if (trim(node.value).empty() && field.required) {
        context.error(node, fmt::format("\"{}\" is empty", field.key));
        return false;
      }
      return true;
  }
}

const Node* normalise_scalar(Context& context, const Field& field, const Node& node) {
  if (!node.is_scalar()) {
    context.error(node, fmt::format("\"{}\" must be a single value, not {}", field.key, kind_name(node)));
    return nullptr;
  }
  const Node* resolved = substitute(context, node);
  if (resolved == nullptr) return nullptr;
  Node* checked = context.pool.copy(*resolved);
  return check_scalar(context, field, *checked) ? checked : nullptr;
}

const Node* normalise_list(Context& context, const Field& field, const Node& node, bool partial) {
  Node* list = context.pool.copy(node);
  list->kind = Node::Kind::list;
  list->value.clear();
  list->entries.clear();
  const auto add = [&](const Node& item) {
    const Node* value = field.type == Type::maps ? normalise(context, item, *field.child, partial)
                                                 : normalise_scalar(context, field, item);
    if (value != nullptr) list->entries.push_back({nullptr, value});
  };
  if (node.is_list()) {
    for (const auto& entry : node.entries) add(*entry.value);
  } else {
    add(node);
  }
  return list;
}

const Node* normalise_named(Context& context, const Field& field, const Node& node, bool partial) {
  if (!node.is_map()) {
    context.error(node, fmt::format("\"{}\" must be a map of names, not {}", field.key, kind_name(node)),
                  field.example.empty() ? "" : fmt::format("like {}", field.example));
    return nullptr;
  }
  Node* map = context.pool.copy(node);
  map->entries.clear();
  for (const auto& entry : node.entries) {
    if (entry.value->is_null() && field.type == Type::named_maps) {  // `code:` = a column with no wishes
      Node* empty = context.pool.copy(*entry.value);
      empty->kind = Node::Kind::map;
      map->entries.push_back({entry.key, empty});
      continue;
    }
    const Node* value = field.type == Type::named_maps
                            ? normalise(context, *entry.value, *field.child, partial)
                            : normalise_scalar(context, field, *entry.value);
    if (value != nullptr) map->entries.push_back({entry.key, value});
  }
  return map;
}

const Node* normalise_value(Context& context, const Field& field, const Node& node, bool partial) {
  switch (field.type) {
    case Type::any:
      return &node;
    case Type::map:
      return normalise(context, node, *field.child, partial || field.key == "defaults");
    case Type::maps:
    case Type::texts:
    case Type::integers:
      return normalise_list(context, field, node, partial);
    case Type::named_maps:
    case Type::named_texts:
      return normalise_named(context, field, node, partial);
    default:
      return normalise_scalar(context, field, node);
  }
}

// Reports the key; gives the field that was likely meant, "" when none is near.
std::string_view refuse_unknown(Context& context, const Node& key, const Concept& table) {
  if (key.value == "<<") {
    context.error(key, "merge keys (<<) are not part of YAML 1.2",
                  "put what loaders share under `defaults` of the service file");
    return {};
  }
  std::vector<std::string_view> keys;
  for (const auto& field : table.fields) {
    keys.push_back(field.key);
    for (const auto alias : split(field.aliases, ' ')) {
      if (!alias.empty()) keys.push_back(alias);
    }
  }
  const auto near = nearest(key.value, keys);
  context.error(key, fmt::format("unknown key \"{}\" in {}", printable(key.value, 60), table.name),
                near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
  return near.empty() ? near : find_field(table, near)->key;
}

// Whether the key is to be read; says why not.
bool admit(Context& context, const Node& key, const Field& field, bool partial) {
  if (field.stage == Stage::inert) {
    if (!context.nox)
      context.warn(key, fmt::format("\"{}\" has no effect on loading", field.key), "it can be removed");
    return false;
  }
  if (field.stage == Stage::later) {
    if (context.nox && field.nox_warns) {
      context.warn(key, fmt::format("\"{}\" is not available yet: {} are not sent", field.key, field.help));
    } else {
      context.error(key, fmt::format("\"{}\" is not available yet ({})", key.value, field.help));
    }
    return false;
  }
  if (partial && !field.in_defaults) {
    context.error(key, fmt::format("\"{}\" cannot be a default of all loaders", field.key));
    return false;
  }
  return true;
}

}  // namespace

std::string shown(const Node& node, std::size_t limit) {
  if (node.substituted) return "the value of the variable";  // it may be a secret
  return fmt::format("\"{}\"", printable(node.value, limit));
}

std::string suggest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (const auto near = nearest(word, candidates); !near.empty())
    return fmt::format("did you mean \"{}\"?", near);
  if (candidates.empty() || candidates.size() > 10) return {};
  return fmt::format("one of {}", fmt::join(candidates, ", "));
}

namespace {

// A single value, or a list where the key it stands for takes one.
bool stands_for_map(const Node& node, const Concept& table) {
  if (table.shorthand == nullptr) return false;
  return node.is_scalar() || (node.is_list() && find_field(table, table.shorthand(""))->type == Type::texts);
}

}  // namespace

const Node* normalise(Context& context, const Node& node, const Concept& table, bool partial) {
  Node* result = context.pool.copy(node);
  result->kind = Node::Kind::map;
  result->value.clear();
  result->entries.clear();
  Node wrapped;
  const Node* map = &node;
  if (stands_for_map(node, table)) {
    Node* key = context.pool.copy(node);
    key->value = table.shorthand(node.value);
    wrapped = *result;
    wrapped.entries.push_back({key, &node});
    map = &wrapped;
  } else if (!node.is_map()) {
    context.error(node, fmt::format("{} must be a map, not {}", table.name, kind_name(node)),
                  table.shorthand == nullptr ? "" : fmt::format("or {}", table.shorthand_help));
    for (const auto& field : table.fields) result->left_out.push_back(field.key);
    return result;
  }
  std::unordered_map<std::string_view, const Node*> seen;
  for (const auto& entry : map->entries) {
    const Field* field = find_field(table, entry.key->value);
    if (field == nullptr) {
      if (const auto meant = refuse_unknown(context, *entry.key, table); !meant.empty())
        result->left_out.push_back(meant);
      continue;
    }
    const auto [first, fresh] = seen.emplace(field->key, entry.key);
    if (!fresh && first->second->value != entry.key->value) {
      context.error(*entry.key,
                    fmt::format("\"{}\" and \"{}\" mean the same", first->second->value, entry.key->value),
                    "keep one of them");
      continue;
    }
    if (!fresh) continue;
    const bool admitted = admit(context, *entry.key, *field, partial);
    if (admitted && entry.value->is_null()) continue;
    const Node* value = admitted ? normalise_value(context, *field, *entry.value, partial) : nullptr;
    if (value == nullptr) {
      result->left_out.push_back(field->key);
      continue;
    }
    Node* key = context.pool.copy(*entry.key);
    key->value = field->key;
    result->entries.push_back({key, value});
  }
  for (const auto& field : table.fields) {
    if (!field.required || partial) continue;
    const auto given = seen.find(field.key);
    if (given == seen.end()) {
      if (!result->lost(field.key))
        context.error(node, fmt::format("{} needs \"{}\" ({})", table.name, field.key, field.help));
    } else if (const Node* key = given->second;
               map->get(key->value) != nullptr && map->get(key->value)->is_null()) {
      context.error(*key, fmt::format("\"{}\" is empty", field.key));
    }
  }
  return result;
}

const Node* merge(NodePool& pool, const Node* base, const Node* over) {
  if (base == nullptr || over == nullptr) return over == nullptr ? base : over;
  if (!base->is_map() || !over->is_map()) return over;
  Node* merged = pool.copy(*over);
  for (const auto& entry : base->entries) {
    const auto same =
        std::find_if(merged->entries.begin(), merged->entries.end(),
                     [&](const Node::Entry& other) { return other.key->value == entry.key->value; });
    if (same == merged->entries.end()) {
      merged->entries.push_back(entry);
    } else {
      same->value = merge(pool, entry.value, same->value);
    }
  }
  return merged;
}

const Node* child(const Node* map, std::string_view key) { return map == nullptr ? nullptr : map->get(key); }

std::string text_of(const Node* map, std::string_view key, std::string_view fallback) {
  const Node* node = child(map, key);
  return node == nullptr ? std::string(fallback) : node->value;
}

std::optional<std::int64_t> integer_of(const Node* map, std::string_view key) {
  const Node* node = child(map, key);
  return node == nullptr ? std::nullopt : parse_integer(node->value);
}

bool boolean_of(const Node* map, std::string_view key, bool fallback) {
  const Node* node = child(map, key);
  return node == nullptr ? fallback : node->value == "true";
}

std::optional<std::chrono::milliseconds> duration_of(const Node* map, std::string_view key) {
  const Node* node = child(map, key);
  return node == nullptr ? std::nullopt : parse_duration(node->value);
}

std::vector<std::string> texts_of(const Node* map, std::string_view key) {
  std::vector<std::string> texts;
  if (const Node* node = child(map, key)) {
    for (const auto& entry : node->entries) texts.push_back(entry.value->value);
  }
  return texts;
}

}  // namespace sluice::definition
