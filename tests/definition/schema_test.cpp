#include "definition/schema.h"

#include "base/file.h"
#include "definition/check.h"
#include "definition/json_schema_subset.h"
#include "definition/loader_template.h"
#include "definition/scalar.h"
#include "definition/yaml_tree.h"
#include "support/paths.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace sluice::definition {
namespace {

using nlohmann::json;

// As a YAML 1.2 reader hands it to a JSON Schema.
json to_json(const Node& node) {
  if (node.is_null()) return nullptr;
  if (node.is_scalar()) {
    if (node.plain) {
      if (const auto flag = parse_boolean(node.value)) return *flag;
      if (const auto number = parse_integer(node.value)) return *number;
    }
    return node.value;
  }
  json result = node.is_map() ? json::object() : json::array();
  for (const auto& entry : node.entries) {
    if (node.is_map()) {
      result[entry.key->value] = to_json(*entry.value);
    } else {
      result.push_back(to_json(*entry.value));
    }
  }
  return result;
}

std::string violation_of(FileKind kind, const std::string& yaml) {
  const auto document = parse_yaml("example.yaml", yaml);
  if (document->root == nullptr) return "not YAML";
  const auto schema = json::parse(json_schema(kind));
  return violation(schema, schema, to_json(*document->root));
}

CheckResult check_text(FileKind kind, const std::string& yaml) {
  CheckOptions options;
  options.root = "/definitions";
  options.allow_commands = true;
  options.environment = [](std::string_view) { return std::string("Source=File;Path=../x/"); };
  std::vector<SourceFile> files = {
      make_source_file("Example." + std::string(to_string(kind)) + ".yaml", yaml)};
  if (kind == FileKind::job) {  // what jobs run after
    for (const std::string name : {"Country", "Currency"})
      files.push_back(make_source_file(name + ".loader.yaml",
                                       "name: " + name + "\nschedule: manual\nsource: ../a.json\nkey: id\n"));
  }
  return check(files, options);
}

TEST(JsonSchema, takes_every_documented_example_as_the_parser_does) {
  const auto all = examples();
  EXPECT_GT(all.size(), 60u);
  for (const auto& example : all) {
    const auto result = check_text(example.kind, example.yaml);
    for (const auto& problem : result.problems) {
      if (example.title == "target" || problem.severity == Problem::Severity::warning) continue;
      ADD_FAILURE() << example.title << "\n" << example.yaml << render(problem);
    }
    EXPECT_EQ(violation_of(example.kind, example.yaml), "") << example.title << "\n" << example.yaml;
  }
}

TEST(JsonSchema, takes_the_shipped_definitions) {
  const auto files = read_folder(test::source_dir() + "/definitions");
  ASSERT_TRUE(files.has_value());
  for (const auto& file : *files) EXPECT_EQ(violation_of(file.kind, file.text), "") << file.path;
}

TEST(JsonSchema, refuses_what_the_parser_refuses) {
  const std::string good = "name: A\nschedule: manual\nsource: a.json\nkey: id\n";
  EXPECT_EQ(violation_of(FileKind::loader, good), "");
  for (const std::string bad :
       {"sorce: x\n", "enabled: yes please\n", "load: {mode: apend}\n", "rejects: {sample: -1}\n",
        "columns: {id: varchar}\n", "children: {}\n", "guards: {maxRejects: 5 apples}\n"}) {
    EXPECT_NE(violation_of(FileKind::loader, good + bad), "") << bad;
    EXPECT_FALSE(check_text(FileKind::loader, good + bad).ok()) << bad;
  }
}

TEST(JsonSchema, of_all_kinds_takes_each_kind) {
  const auto schema = json::parse(json_schema());
  EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
  for (const std::string yaml :
       {"name: A\nschedule: manual\nsource: a.json\n", "name: J\nafter: [A, B]\ncommand: [report, --all]\n",
        "name: S\ntimezone: UTC\n", "name: D\nbaseUrl: https://example.org\n",
        "name: E\nattributes: [{name: X}]\n"}) {
    EXPECT_EQ(violation(schema, schema, to_json(*parse_yaml("x", yaml)->root)), "") << yaml;
  }
}

TEST(Reference, is_what_the_tables_say) {
  // SLUICE_UPDATE=1 writes the generated half of the page anew.
  const std::filesystem::path path = test::source_dir() + "/docs/definitions.md";
  auto page = read_file(path);
  ASSERT_TRUE(page.has_value());
  const std::string mark = "<!-- generated from the parser's tables; do not edit below -->\n\n";
  const auto at = page->find(mark);
  ASSERT_NE(at, std::string::npos);
  if (std::getenv("SLUICE_UPDATE") != nullptr) {
    *page = page->substr(0, at + mark.size()) + reference_markdown();
    ASSERT_TRUE(write_file_atomically(path, *page).has_value());
  }
  EXPECT_EQ(page->substr(at + mark.size()), reference_markdown());
}

TEST(Reference, shows_only_definitions_that_are_valid) {
  const auto page = read_file(test::source_dir() + "/docs/definitions.md");
  ASSERT_TRUE(page.has_value());
  std::size_t shown = 0;
  for (auto at = page->find("```yaml\n"); at != std::string::npos; at = page->find("```yaml\n", at + 1)) {
    const auto text = page->substr(at + 8, page->find("```", at + 8) - at - 8);
    const auto kind = text.starts_with("# sluice.service.yaml") ? FileKind::service
                      : text.find("\nsource") == std::string::npos && !text.starts_with("# shopEu")
                          ? FileKind::job
                      : text.starts_with("# shopEu.dataSource") ? FileKind::data_source
                                                                : FileKind::loader;
    for (const auto& problem : check_text(kind, text).problems) ADD_FAILURE() << text << render(problem);
    EXPECT_EQ(violation_of(kind, text), "") << text;
    ++shown;
  }
  EXPECT_GE(shown, 5u);
}

TEST(LoaderTemplate, is_valid_as_it_stands) {
  TemplateOptions options;
  options.key = {"code", "it's"};
  options.columns = {{"code", "text", "unique, never empty"}, {"it's", "int64", ""}, {"name", "text", ""}};
  for (const std::string source : {"https://example.org/countries.json", "../data/countries-*.csv"}) {
    options.source = source;
    const auto text = loader_template(options);
    for (const auto& problem : check_text(FileKind::loader, text).problems)
      ADD_FAILURE() << render(problem) << "\n" << text;
    EXPECT_EQ(violation_of(FileKind::loader, text), "");
  }
}

TEST(LoaderTemplate, without_a_key_replaces_the_table_and_is_valid_too) {
  const auto text = loader_template({});
  for (const auto& problem : check_text(FileKind::loader, text).problems)
    ADD_FAILURE() << render(problem) << "\n" << text;
  EXPECT_EQ(violation_of(FileKind::loader, text), "");
  EXPECT_NE(text.find("mode: replace"), std::string::npos);
  EXPECT_NE(text.find("# key: id"), std::string::npos);
}

TEST(LoaderTemplate, takes_any_words_without_breaking_the_yaml) {
  TemplateOptions options;
  options.name = "It's \"new\": # {a}";
  options.source = "../in/${x} y'z.csv";
  options.records = "$.a['b']";
  options.key = {"a\nb", "${id}", "c\td\\\"e"};
  options.key_comment = "first\nmode: append";
  options.declare_columns = false;
  options.columns = {{"a\nb: 1", "int64", "x\n  evil: true"}, {"${id}", "", ""}};
  const auto text = loader_template(options);
  const auto checked = check_text(FileKind::loader, text);
  for (const auto& problem : checked.problems) ADD_FAILURE() << render(problem) << "\n" << text;
  ASSERT_EQ(checked.catalog->loaders.size(), 1u);
  const auto& spec = checked.catalog->loaders[0].spec;
  EXPECT_EQ(spec.name, options.name);
  EXPECT_EQ(spec.target.key, options.key);
  EXPECT_EQ(spec.sources[0].file.filename(), "${x} y'z.csv");
  EXPECT_EQ(spec.mode, LoadMode::sync);
}

}  // namespace
}  // namespace sluice::definition
