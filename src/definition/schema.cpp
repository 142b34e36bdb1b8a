#include "definition/schema.h"

#include "base/text.h"
#include "definition/field.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <set>
#include <string>

namespace sluice::definition {
namespace {

using Json = nlohmann::ordered_json;

// In the order of the reference page.
constexpr FileKind kKinds[] = {FileKind::loader, FileKind::job, FileKind::service, FileKind::data_source,
                               FileKind::entity};
constexpr std::string_view kSubstitution = R"(\$\{)";  // a scalar that holds ${…} may be anything

const Concept& concept_of(FileKind kind) {
  switch (kind) {
    case FileKind::service:
      return service_concept();
    case FileKind::data_source:
      return data_source_concept();
    case FileKind::entity:
      return entity_concept();
    case FileKind::job:
      return task_concept();
    default:
      return loader_concept();
  }
}

// "a loader" -> "loader": the name under "definitions".
std::string definition_name(const Concept& table, bool partial) {
  std::string_view name = table.name;
  for (const std::string_view article : {"an ", "a "}) {
    if (name.starts_with(article)) name.remove_prefix(article.size());
  }
  std::string result(name);
  std::replace(result.begin(), result.end(), ' ', '-');
  return partial ? result + "-defaults" : result;
}

class SchemaWriter {
 public:
  Json definitions = Json::object();

  Json reference(const Concept& table, bool partial) {
    const auto name = definition_name(table, partial);
    if (!definitions.contains(name)) {
      definitions[name] = Json::object();  // taken, for tables that contain themselves
      definitions[name] = object(table, partial);
    }
    return {{"$ref", "#/definitions/" + name}};
  }

  Json object(const Concept& table, bool partial) {
    Json schema = {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
    Json required = Json::array();
    for (const auto& field : table.fields) {
      if (field.stage == Stage::later && !field.nox_warns) continue;
      if (partial && !field.in_defaults) continue;
      const auto described = property(field, partial);
      schema["properties"][std::string(field.key)] = described;
      for (const auto alias : split(field.aliases, ' ')) {
        if (!alias.empty()) schema["properties"][std::string(alias)] = described;
      }
      if (field.required && !partial && field.aliases.empty()) required.push_back(std::string(field.key));
    }
    if (!required.empty()) schema["required"] = required;
    if (table.shorthand == nullptr) return schema;
    Json shorthand = shape(*find_field(table, table.shorthand("")), partial);
    shorthand["description"] = std::string(table.shorthand_help);
    return {{"anyOf", Json::array({shorthand, schema})}};
  }

 private:
  static Json scalar(const Field& field) {
    const Json variable = {{"type", "string"}, {"pattern", std::string(kSubstitution)}};
    switch (field.type) {
      case Type::boolean:
        return {{"anyOf", Json::array({{{"type", "boolean"}}, variable})}};
      case Type::integer:
      case Type::integers: {
        Json number = {{"type", "integer"}};
        if (field.least > std::numeric_limits<int>::min()) number["minimum"] = field.least;
        if (field.most < std::numeric_limits<int>::max()) number["maximum"] = field.most;
        return {{"anyOf", Json::array({number, variable})}};
      }
      case Type::duration:
        return {{"anyOf", Json::array({{{"type", "string"}, {"pattern", R"(^([0-9.]+ *(ms|s|m|h|d|w) *)+$)"}},
                                       {{"type", "integer"}, {"minimum", 0}},
                                       variable})}};
      case Type::size:
        return {{"anyOf", Json::array({{{"type", "string"}, {"pattern", R"(^[0-9.]+ *([KMGT]i?B|kB|B)?$)"}},
                                       {{"type", "integer"}, {"minimum", 0}},
                                       variable})}};
      case Type::limit:
        return {{"anyOf", Json::array({{{"type", "string"}, {"pattern", R"(^([0-9.]+ *%|off|[0-9]+)$)"}},
                                       {{"type", "integer"}, {"minimum", 0}},
                                       variable})}};
      case Type::choice: {
        Json choices = Json::array();
        for (const auto& choice : field.choices) {
          if (choice.stage != Stage::now) continue;
          if (choice.value == "null") choices.push_back({{"type", "null"}});
          choices.push_back(
              {{"const", std::string(choice.value)}, {"description", std::string(choice.help)}});
        }
        if (field.takes_boolean) choices.push_back({{"type", "boolean"}});
        choices.push_back(variable);
        return {{"oneOf", choices}};
      }
      case Type::column_type:
        return {
            {"type", "string"},
            {"pattern",
             R"(^(bool|int64|decimal( *\( *[0-9]+ *(, *[0-9]+ *)?\))?|double|text|date|timestamp|json)$)"}};
      default:
        return {{"type", Json::array({"string", "number", "boolean"})}};
    }
  }

  Json shape(const Field& field, bool partial) {
    const auto one_or_many = [](const Json& one) {
      return Json{{"anyOf", Json::array({one, {{"type", "array"}, {"items", one}}})}};
    };
    const auto named = [](const Json& one) {
      return Json{{"type", "object"}, {"additionalProperties", one}};
    };
    switch (field.type) {
      case Type::any:
        return Json::object();
      case Type::map:
        return reference(*field.child, partial || field.key == "defaults");
      case Type::maps:
        return one_or_many(reference(*field.child, partial));
      case Type::texts:
      case Type::integers:
        return one_or_many(scalar(field));
      case Type::named_maps:
        return named({{"anyOf", Json::array({reference(*field.child, partial), {{"type", "null"}}})}});
      case Type::named_texts:
        return named(scalar(field));
      default:
        return scalar(field);
    }
  }

  Json property(const Field& field, bool partial) {
    Json described = shape(field, partial);
    if (described.contains("$ref")) described = {{"allOf", Json::array({described})}};  // $ref hides siblings
    std::string help(field.help);
    if (!field.default_text.empty()) help += fmt::format(" (default: {})", field.default_text);
    described["description"] = help;
    if (!field.example.empty()) described["examples"] = Json::array({std::string(field.example)});
    return described;
  }
};

std::string finished(Json schema, SchemaWriter& writer, std::string_view title) {
  Json whole = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", std::string(title)}};
  whole.update(schema);
  whole["definitions"] = writer.definitions;
  return whole.dump(2, ' ', false, Json::error_handler_t::replace);
}

void table_markdown(const Concept& table, std::string& out, std::set<std::string>& done) {
  const auto name = definition_name(table, false);
  if (!done.insert(name).second) return;
  out += fmt::format("### {}\n\n", name);
  if (table.shorthand != nullptr)
    out += fmt::format("A single value stands for {}.\n\n", table.shorthand_help);
  out += "| key | what | values | default | example |\n|---|---|---|---|---|\n";
  const auto cell = [](std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return escaped;
  };
  std::string later, inert;
  for (const auto& field : table.fields) {
    if (field.stage != Stage::now) {
      auto& list = field.stage == Stage::later ? later : inert;
      list += fmt::format("{}`{}`", list.empty() ? "" : ", ", field.key);
      continue;
    }
    std::string values;
    for (const auto& choice : field.choices) {
      if (choice.stage == Stage::now)
        values += fmt::format("{}`{}`", values.empty() ? "" : " ", choice.value);
    }
    if (field.child != nullptr) values = fmt::format("see [{0}](#{0})", definition_name(*field.child, false));
    std::string key = fmt::format("`{}`", field.key);
    for (const auto alias : split(field.aliases, ' ')) {
      if (!alias.empty()) key += fmt::format(", `{}`", alias);
    }
    out += fmt::format("| {}{} | {} | {} | {} | {} |\n", key, field.required ? " (required)" : "",
                       cell(field.help), values, cell(field.default_text),
                       field.example.empty() ? "" : fmt::format("`{}`", cell(field.example)));
  }
  if (!later.empty()) out += fmt::format("\nNot available yet, and refused: {}.\n", later);
  if (!inert.empty()) out += fmt::format("\nRead in Nox files, without effect on loading: {}.\n", inert);
  out += "\n";
  for (const auto& field : table.fields) {
    if (field.child != nullptr && field.stage == Stage::now) table_markdown(*field.child, out, done);
  }
}

// A single-key document for one field's example, around what the concept requires.
std::string with_required(FileKind kind, std::string_view key) {
  std::string yaml;
  const auto add = [&](std::string_view name, std::string_view line) {
    if (key != name && !(name == "source" && key == "sources")) yaml += std::string(line) + '\n';
  };
  if (kind == FileKind::loader) {
    add("name", "name: Example");
    add("schedule", "schedule: every day at 2am");
    add("source", "source: https://example.org/v3/countries.json");
    if (key != "columns") {
      add("key", "key: code");
    } else {
      yaml += "key: population\n";
    }
  } else if (kind == FileKind::entity) {
    add("name", "name: Country");
    if (key != "key") add("key", "key: {name: Id, type: int}");
    add("attributes", "attributes: [{name: Name, type: string}]");
  } else if (kind == FileKind::data_source) {
    add("name", "name: shopEu");
    if (key != "provider" && key != "options" && key != "connectionString" && key != "connectionVariable")
      add("baseUrl", "baseUrl: https://api.example.org");
    if (key == "options" || key == "connectionString" || key == "connectionVariable")
      yaml += "provider: json\n";
    if (key == "provider") yaml += "options: \"Source=File;Path=../sample-data/;\"\n";
  } else if (kind == FileKind::job) {
    add("name", "name: Example");
    // `after` needs a second file; it is shown in the case folders.
    add("schedule", "schedule: every day at 2am");
    if (key != "sql" && key != "http" && key != "command") yaml += "http: https://example.org/healthz\n";
  }
  return yaml;
}

}  // namespace

std::string json_schema(FileKind kind) {
  SchemaWriter writer;
  auto schema = writer.object(concept_of(kind), false);
  return finished(std::move(schema), writer, fmt::format("Sluice {}", to_string(kind)));
}

std::string json_schema() {
  SchemaWriter writer;
  Json kinds = Json::array();
  for (const auto kind :
       {FileKind::loader, FileKind::job, FileKind::entity, FileKind::data_source, FileKind::service})
    kinds.push_back(writer.reference(concept_of(kind), false));
  return finished({{"anyOf", kinds}}, writer, "Sluice definition");
}

std::string reference_markdown() {
  std::string out;
  std::set<std::string> done;
  for (const auto kind : kKinds) table_markdown(concept_of(kind), out, done);
  return out;
}

std::vector<Example> examples() {
  std::vector<Example> result;
  for (const auto kind : kKinds) {
    for (const auto& field : concept_of(kind).fields) {
      if (field.stage != Stage::now || field.example.empty() || field.key == "after") continue;
      // `target.entity` and `dataSource` need a second file; they are shown in the case folders.
      result.push_back({kind, std::string(field.key),
                        with_required(kind, field.key) + fmt::format("{}: {}\n", field.key, field.example)});
    }
  }
  // The fields of a loader's and a source's own maps.
  for (const std::string_view under : {"schedule", "load", "guards", "contract", "rejects", "target"}) {
    const Field* parent = find_field(loader_concept(), under);
    for (const auto& field : parent->child->fields) {
      if (field.stage != Stage::now || field.example.empty() || field.key == "entity" || field.key == "after")
        continue;
      const auto start = under == "schedule" && field.key != "start" ? "start: every day at 2am, " : "";
      result.push_back({FileKind::loader, fmt::format("{}.{}", under, field.key),
                        with_required(FileKind::loader, under) +
                            fmt::format("{}: {{{}{}: {}}}\n", under, start, field.key, field.example)});
    }
  }
  for (const std::string_view under : {"sql", "http", "command"}) {
    const Field* parent = find_field(task_concept(), under);
    for (const auto& field : parent->child->fields) {
      if (field.example.empty() || field.key == "dataSource" || field.key == "path") continue;
      const std::string_view needs = under == "sql"    ? "statements: delete from session"
                                     : under == "http" ? "url: https://example.org/healthz"
                                                       : "run: [report]";
      const auto first = needs.substr(0, needs.find(':')) == field.key ? "" : fmt::format("{}, ", needs);
      result.push_back({FileKind::job, fmt::format("{}.{}", under, field.key),
                        with_required(FileKind::job, under) +
                            fmt::format("{}: {{{}{}: {}}}\n", under, first, field.key, field.example)});
    }
  }
  for (const auto& field : source_concept().fields) {
    if (field.stage != Stage::now || field.example.empty() || field.key == "dataSource" ||
        field.key == "path" || field.key == "query")
      continue;
    const auto where =
        field.key == "url" || field.key == "file" ? "" : "url: https://example.org/v3/countries.json, ";
    result.push_back({FileKind::loader, fmt::format("source.{}", field.key),
                      with_required(FileKind::loader, "source") +
                          fmt::format("source: {{{}{}: {}}}\n", where, field.key, field.example)});
  }
  return result;
}

}  // namespace sluice::definition
