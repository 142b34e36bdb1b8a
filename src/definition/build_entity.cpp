#include "base/text.h"
#include "definition/build.h"
#include "definition/column_type.h"
#include "definition/scalar.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::definition {
namespace {

// Nox uses maxWidth as the digits of a decimal too; its default 512 then says nothing.
constexpr int kDefaultWidth = 512;

ColumnSpec build_attribute(const Node& node) {
  ColumnSpec column;
  column.place = node.place();
  column.name = text_of(&node, "name");
  column.type = nox_type(text_of(&node, "type", "string"));
  column.required = boolean_of(&node, "isRequired", false);
  int width = static_cast<int>(integer_of(&node, "maxWidth").value_or(kDefaultWidth));
  if (width < 1) width = kDefaultWidth;
  const int precision = static_cast<int>(integer_of(&node, "precision").value_or(2));
  if (column.type == ValueType::decimal && width != kDefaultWidth && precision <= width) {
    column.precision = width;
    column.scale = precision;
  }
  if (column.type == ValueType::text && child(&node, "maxWidth") != nullptr) column.max_width = width;
  return column;
}

bool has_column(const TargetSpec& target, std::string_view name) {
  return std::any_of(target.columns.begin(), target.columns.end(),
                     [&](const ColumnSpec& column) { return iequals(column.name, name); });
}

void add_column(Context& context, TargetSpec& target, ColumnSpec column, const Node& node) {
  if (column.name.empty()) return;
  if (has_column(target, column.name)) {
    context.error(node, fmt::format("the column \"{}\" is given twice", printable(column.name, 60)),
                  "names of columns differ in more than case");
    return;
  }
  target.columns.push_back(std::move(column));
}

void build_key(Context& context, const Node& key, Entity& entity) {
  const auto others = texts_of(&key, "entities");
  for (const auto& name : others) entity.key_entities.push_back({name, key.place()});
  const Node* name = child(&key, "name");
  if (!others.empty()) return;
  if (name == nullptr) {
    context.error(key, "a key needs \"name\", or \"entities\" whose keys form it");
    return;
  }
  auto column = build_attribute(key);
  column.required = true;
  entity.target.key.push_back(column.name);
  add_column(context, entity.target, std::move(column), *name);
}

}  // namespace

Entity build_entity(Context& context, const Node& node) {
  Entity entity;
  entity.place = node.place();
  entity.name = text_of(&node, "name");
  entity.target.table = text_of(&node, "table", entity.name);
  entity.target.schema = text_of(&node, "schema");
  entity.target.closed_columns = true;
  entity.target.case_insensitive_fields = true;
  if (const Node* key = child(&node, "key")) build_key(context, *key, entity);
  if (const Node* attributes = child(&node, "attributes")) {
    if (attributes->entries.empty()) context.error(*attributes, "an entity needs at least one attribute");
    for (const auto& entry : attributes->entries) {
      if (!text_of(entry.value, "formula").empty()) continue;
      auto column = build_attribute(*entry.value);
      if (boolean_of(entry.value, "isPrimaryKey", false)) {
        column.required = true;
        entity.target.key.push_back(column.name);
      }
      add_column(context, entity.target, std::move(column), *entry.value);
    }
  }
  for (const std::string_view list : {"relationships", "ownedRelationships"}) {
    const Node* relations = child(&node, list);
    if (relations == nullptr) continue;
    for (const auto& entry : relations->entries) {
      const auto many = text_of(entry.value, "relationship");
      if (many == "ExactlyOne" || many == "ZeroOrOne")
        entity.parents.push_back({text_of(entry.value, "entity"), entry.value->place()});
    }
  }
  return entity;
}

void link_entity(Context& context, Entity& entity,
                 const std::map<std::string, Entity, std::less<>>& entities) {
  const auto add = [&](const Relation& relation, bool key) {
    const auto other = find_named(entities, relation.entity, true);
    if (other == entities.end() && key) {
      std::vector<std::string_view> names;
      for (const auto& [name, known] : entities) names.push_back(name);
      context.error(relation.place, fmt::format("there is no entity \"{}\"", printable(relation.entity, 60)),
                    suggest(relation.entity, names));
      return;
    }
    ColumnSpec column;
    column.name = relation.entity + "Id";
    column.place = relation.place;
    column.required = key;
    if (other != entities.end() && other->second.target.key.size() == 1) {
      for (const auto& theirs : other->second.target.columns) {
        if (theirs.name == other->second.target.key[0]) column.type = theirs.type;
      }
    }
    if (key) entity.target.key.push_back(column.name);
    if (!has_column(entity.target, column.name)) entity.target.columns.push_back(std::move(column));
  };
  for (const auto& relation : entity.key_entities) add(relation, true);
  for (const auto& relation : entity.parents) add(relation, false);
  entity.key_entities.clear();
  entity.parents.clear();
}

}  // namespace sluice::definition
