#include "definition/loader_template.h"

#include <fmt/format.h>

namespace sluice::definition {
namespace {

// In single quotes, which need no escapes but their own doubling.
std::string yaml_scalar(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '\'') result += '\'';
    result += c;
  }
  return result + "'";
}

std::string list(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names) result += (result.empty() ? "" : ", ") + yaml_scalar(name);
  return "[" + result + "]";
}

}  // namespace

std::string loader_template(const TemplateOptions& options) {
  const bool url = options.source.find("://") != std::string::npos;
  std::string out = fmt::format(
      "# Keeps a table in step with its source. `sluice check` judges this file, `sluice plan {0}` shows "
      "what\n"
      "# a run would do, docs/definitions.md lists every key.\n"
      "name: {1}\n\n"
      "# English or cron, with or without a zone: every weekday at 7:15am Europe/Zurich\n"
      "schedule: {2}\n\n"
      "# {3}\n"
      "source: {{{4}: {5}}}\n\n",
      options.name, yaml_scalar(options.name), yaml_scalar(options.schedule),
      url ? "An http or https address; add auth: {token: \"${env:NAME}\"} when it asks for one."
          : "A path or a pattern, from the folder of this file; .gz, .zst and .zip are unpacked.",
      url ? "url" : "file", yaml_scalar(options.source));
  if (options.key.empty()) {
    out +=
        "# What identifies a row: one column, or a list of columns. Choose it before the first run.\n# key: "
        "id\n\n";
  } else {
    out += fmt::format("# What identifies a row.\nkey: {}\n\n", list(options.key));
  }
  if (options.columns.empty()) {
    out +=
        "# Columns and types are found out from the records on the first run. To say them yourself:\n"
        "# columns:\n"
        "#   population: {type: int64, from: stats.population, required: true}\n\n";
  } else {
    out += "columns:\n";
    for (const auto& column : options.columns) {
      out += fmt::format("  {}: {{type: {}}}", yaml_scalar(column.name), yaml_scalar(column.type));
      out += column.comment.empty() ? "\n" : fmt::format("  # {}\n", column.comment);
    }
    out += "\n";
  }
  out +=
      "# sync (the table equals the source), upsert, append or replace.\n"
      "load:\n"
      "  mode: sync\n"
      "  vanished: keep        # rows that the source lost: keep, softDelete or delete\n\n"
      "# Limits that are judged before anything becomes visible.\n"
      "guards:\n"
      "  minimumExpectedRecords: 1\n"
      "  maxRejects: 1%\n";
  return out;
}

}  // namespace sluice::definition
