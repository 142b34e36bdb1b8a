// Walks the folders under cases/: each is a definitions folder with the problems and loaders it must give in
// expected.txt, and in resolved.txt (where there is one) what `sluice show` prints of its first loader.
// SLUICE_UPDATE=1 writes the files anew; read the difference before you keep it.
#include "base/file.h"
#include "definition/check.h"
#include "support/paths.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace sluice::definition {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> case_names() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(test::source_dir() + "/tests/definition/cases"))
    names.insert(entry.path().filename().string());
  return {names.begin(), names.end()};
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string describe(const LoaderDefinition& loader) {
  const auto& spec = loader.spec;
  std::string out = fmt::format(
      "loader {} -> {} ({}) key {} [{}]{}\n", spec.name, spec.target.table, to_string(spec.mode),
      fmt::join(spec.target.key, ","),
      spec.schedule.manual ? "manual" : fmt::format("{}", fmt::join(loader.schedule.crons, " | ")),
      loader.schedule.zone.empty() ? "" : " " + loader.schedule.zone);
  out += fmt::format("  start {} retry {} x {}ms minimum {}{}\n", to_string(spec.schedule.run_on_startup),
                     spec.schedule.retry.limit, spec.schedule.retry.delay.count(),
                     spec.guards.minimum_expected_records.value_or(-1),
                     spec.guards.minimum_warns ? " warns" : "");
  for (const auto& source : spec.sources)
    out += fmt::format("  source {} {} minimum {}\n",
                       source.kind == SourceSpec::Kind::file ? source.file.string() : source.url,
                       to_string(source.decode.format), source.minimum_expected_records);
  if (!spec.description.empty()) out += fmt::format("  description {}\n", spec.description);
  if (!spec.cursor_columns.empty()) out += fmt::format("  cursor {}\n", fmt::join(spec.cursor_columns, ","));
  for (const auto& column : spec.target.columns)
    out += fmt::format("  column {} {}{}{}\n", column.name, column.type ? to_string(*column.type) : "?",
                       column.precision > 0 ? fmt::format("({},{})", column.precision, column.scale) : "",
                       column.required ? " required" : "");
  return out;
}

std::string describe(const After& after) {
  if (after.names.empty()) return {};
  return fmt::format("  after {} ({}, {})\n", fmt::join(after.names, ","), to_string(after.on),
                     after.wait == After::Wait::all ? "all" : "any");
}

std::string describe(const TaskDefinition& task) {
  const auto& spec = task.spec;
  return fmt::format(
             "job {} {} [{}]{}\n  start {} retry {}\n", spec.name, kind_of(spec),
             spec.schedule.manual ? "manual" : fmt::format("{}", fmt::join(task.schedule.crons, " | ")),
             task.schedule.zone.empty() ? "" : " " + task.schedule.zone,
             to_string(spec.schedule.run_on_startup), spec.schedule.retry.limit) +
         describe(task.after);
}

std::string describe(const CheckResult& result) {
  std::string out;
  for (const auto& problem : result.problems) out += render(problem) + '\n';
  const auto& service = result.catalog->service;
  if (!service.database.empty()) out += fmt::format("database {}\n", service.database);
  if (!service.database_problem.empty())
    out += fmt::format("database problem {}\n", service.database_problem);
  for (const auto& loader : result.catalog->loaders) out += describe(loader) + describe(loader.after);
  for (const auto& task : result.catalog->tasks) out += describe(task);
  return out;
}

class Cases : public testing::TestWithParam<std::string> {};

TEST_P(Cases, give_what_is_expected) {
  const fs::path root = fs::path(test::source_dir() + "/tests/definition/cases") / GetParam();
  CheckOptions options;
  options.root = root;
  options.allow_commands = true;
  options.environment = [](std::string_view name) {
    return name == "TOKEN" ? std::optional<std::string>("s3cret") : std::nullopt;
  };
  const auto files = read_folder(root);
  ASSERT_TRUE(files.has_value());
  const auto result = check(*files, options);
  const auto compare = [&](const char* name, const std::string& actual) {
    const auto text = replace_all(actual, root.parent_path().string(), "/cases");
    if (std::getenv("SLUICE_UPDATE") != nullptr) {
      ASSERT_TRUE(write_file_atomically(root / name, text).has_value());
    }
    const auto expected = read_file(root / name);
    ASSERT_TRUE(expected.has_value()) << "no " << name;
    EXPECT_EQ(text, *expected);
    EXPECT_EQ(actual.find("s3cret") != std::string::npos, GetParam() == "variables");
  };
  compare("expected.txt", describe(result));
  if (fs::exists(root / "resolved_jobs.txt")) {
    std::string yaml;
    for (const auto& task : result.catalog->tasks) yaml += resolved_yaml(task);
    compare("resolved_jobs.txt", yaml);
  }
  if (!fs::exists(root / "resolved.txt")) return;
  ASSERT_FALSE(result.catalog->loaders.empty());
  const auto yaml = resolved_yaml(result.catalog->loaders[0]);
  compare("resolved.txt", yaml);
}

INSTANTIATE_TEST_SUITE_P(All, Cases, testing::ValuesIn(case_names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace sluice::definition
