#include "definition/loader_template.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::definition {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Words that YAML takes for text without quotes, wherever they stand.
bool is_plain(std::string_view text) {
  constexpr std::array<std::string_view, 9> kOthers = {"true", "false", "null", "yes", "no",
                                                       "on",   "off",   "inf",  "nan"};
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./ -";
  const auto starts = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool path = text.starts_with("../") || text.starts_with("./") || text.starts_with('/');
  return !text.empty() && (starts(text.front()) || path) && !text.ends_with(' ') &&
         text.find(" -") == std::string_view::npos &&
         text.find_first_not_of(kSafe) == std::string_view::npos &&
         std::find(kOthers.begin(), kOthers.end(), to_lower(text)) == kOthers.end();
}

// As it is where that is clear. Else in single quotes, which need no escapes but their own doubling; in
// double quotes where a character cannot stand in a line. `${` is doubled: it is meant word for word.
std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  const bool escaped = std::any_of(text.begin(), text.end(), is_control);
  std::string result(1, escaped ? '"' : '\'');
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (escaped && is_control(c)) {
      result += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
      continue;
    }
    if (escaped && (c == '"' || c == '\\')) result += '\\';
    if (!escaped && c == '\'') result += '\'';
    if (text.substr(i).starts_with("${")) result += '$';
    result += c;
  }
  return result + (escaped ? '"' : '\'');
}

std::string list(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names) result += (result.empty() ? "" : ", ") + yaml_scalar(name);
  return names.size() == 1 ? result : "[" + result + "]";
}

// Text of somebody else's in a comment: it must not end the line.
std::string in_comment(std::string_view text) { return printable(text, 100); }

std::string key_part(const TemplateOptions& options) {
  const auto& comment = options.key_comment;
  if (!options.key.empty()) {
    return fmt::format("# What identifies a row{}.\nkey: {}\n\n",
                       comment.empty() ? "" : ": " + in_comment(comment), list(options.key));
  }
  return fmt::format(
      "# What identifies a row: one column, or a list of columns{}.\n"
      "# With a key the mode below can be sync, which writes only what changed.\n"
      "# key: id\n\n",
      comment.empty() ? "" : ". " + in_comment(comment));
}

std::string columns_part(const TemplateOptions& options) {
  if (options.columns.empty()) {
    return "# Columns and types are found out from the records on the first run. To say them yourself:\n"
           "# columns:\n"
           "#   population: {type: int64, from: stats.population, required: true}\n\n";
  }
  const bool declared = options.declare_columns;
  std::string out =
      declared
          ? ""
          : "# The columns of the source. The first run finds them out and keeps their types. Take the #\n"
            "# away to insist on a type: a record that does not fit is then rejected.\n";
  const std::string_view start = declared ? "" : "# ";
  out += fmt::format("{}columns:\n", start);
  for (const auto& column : options.columns) {
    const auto name = yaml_scalar(column.name);
    out += fmt::format("{}  {}: {}", start, name,
                       column.type.empty() ? "{}" : fmt::format("{{type: {}}}", yaml_scalar(column.type)));
    out += column.comment.empty() ? "\n" : fmt::format("  # {}\n", in_comment(column.comment));
  }
  return out + "\n";
}

}  // namespace

std::string loader_template(const TemplateOptions& options) {
  const bool url = options.source.find("://") != std::string::npos;
  std::string out = fmt::format(
      "# Keeps a table in step with its source. `sluice check` judges this file, `sluice plan` shows what a\n"
      "# run would do, docs/definitions.md lists every key.\n"
      "name: {0}\n\n"
      "# English or cron, with or without a zone: every weekday at 7:15am Europe/Zurich\n"
      "schedule: {1}\n\n"
      "# {2}\n"
      "source: {{{3}: {4}{5}}}\n\n",
      yaml_scalar(options.name), yaml_scalar(options.schedule),
      url ? "An http or https address; add auth: {token: \"${env:NAME}\"} when it asks for one."
          : "A path or a pattern, from the folder of this file; .gz, .zst and .zip are unpacked.",
      url ? "url" : "file", yaml_scalar(options.source),
      options.records.empty() ? "" : ", records: " + yaml_scalar(options.records));
  out += key_part(options);
  out += columns_part(options);
  if (options.key.empty()) {
    out +=
        "# replace (the table is written anew as a whole, and needs no key), sync, upsert or append.\n"
        "load:\n"
        "  mode: replace\n\n";
  } else {
    out +=
        "# sync (the table equals the source), upsert, append or replace.\n"
        "load:\n"
        "  mode: sync\n"
        "  vanished: keep        # rows that the source lost: keep, softDelete or delete\n\n";
  }
  out += fmt::format(
      "# Limits that are judged before anything becomes visible.\n"
      "guards:\n"
      "  minimumExpectedRecords: {}{}\n"
      "  maxRejects: 1%\n",
      options.minimum_records,
      options.minimum_records == 0 ? "  # the source had no record when this was written" : "");
  return out;
}

}  // namespace sluice::definition
