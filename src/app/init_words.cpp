#include "app/init_words.h"

#include "base/text.h"
#include "fetch/glob.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::app {
namespace {

namespace fs = std::filesystem;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string type_name(const Column& column) {
  return column.type == ValueType::decimal && column.precision > 0
             ? fmt::format("decimal({},{})", column.precision, column.scale)
             : std::string(to_string(column.type));
}

bool leads_somewhere(const fs::path& path) {
  std::error_code ignored;
  const auto files = fetch::expand(path, {});
  return files && std::any_of(files->begin(), files->end(),
                              [&](const auto& file) { return fs::exists(file, ignored); });
}

std::string counted(std::int64_t number, std::string_view thing) {
  return fmt::format("{} {}{}", group_digits(number), thing, number == 1 ? "" : "s");
}

}  // namespace

std::string name_from_source(std::string_view source) {
  if (source.find("://") != std::string_view::npos) source = source.substr(0, source.find_first_of("?#"));
  while (source.ends_with('/')) source.remove_suffix(1);
  auto rest = source.substr(source.rfind('/') == std::string_view::npos ? 0 : source.rfind('/') + 1);
  constexpr std::array<std::string_view, 9> kEndings = {".gz",  ".zst",    ".zip",   ".csv", ".tsv",
                                                        ".txt", ".ndjson", ".jsonl", ".json"};
  for (bool cut = true; cut;) {
    cut = false;
    for (const auto ending : kEndings) {
      if (rest.size() <= ending.size() || !to_lower(rest).ends_with(ending)) continue;
      rest.remove_suffix(ending.size());
      cut = true;
    }
  }
  std::string name;
  bool starts = true;
  for (const char c : rest) {
    if (!is_word(c)) {
      starts = true;
      continue;
    }
    name += starts && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    starts = false;
  }
  return name.empty() ? "Loader" : name;
}

std::string source_from(const fs::path& definitions, const std::string& source) {
  const fs::path path(source);
  if (source.find("://") != std::string::npos || path.is_absolute()) return source;
  std::error_code failed;
  const auto folder = fs::absolute(definitions, failed).lexically_normal();
  const auto here = fs::absolute(path, failed).lexically_normal();
  // As in every shell, what is named here is meant; only what is not here may lie beside the definitions.
  if (failed || !leads_somewhere(here)) return source;
  const auto relative = here.lexically_relative(folder.has_filename() ? folder : folder.parent_path());
  return relative.empty() ? here.string() : relative.generic_string();
}

void describe(const Survey& survey, definition::TemplateOptions& options) {
  options.declare_columns = false;
  options.minimum_records = survey.records == 0 ? 0 : 1;
  for (const auto& seen : survey.columns) {
    std::string comment = !seen.has_values ? "no record has a value here"
                          : seen.unique    ? "unique, never empty"
                          : seen.empty > 0 ? fmt::format("empty in {} of {}", group_digits(seen.empty),
                                                         counted(survey.records, "record"))
                                           : "";
    options.columns.push_back({.name = seen.column.name,
                               .type = seen.has_values ? type_name(seen.column) : std::string(),
                               .comment = std::move(comment)});
  }
}

void choose_key(const Survey& survey, const std::vector<std::string>& key, bool given,
                definition::TemplateOptions& options) {
  options.key = key;
  const bool whole = survey.compared == survey.records;
  const auto among = fmt::format("{} {}", whole ? "all" : "the first", counted(survey.compared, "record"));
  if (given) {
    options.key_comment = "";
  } else if (!key.empty()) {
    options.key_comment =
        survey.records == 1
            ? std::string("a guess, since the source has one record only")
            : fmt::format("unique and never empty in {}; choose another if that is by chance", among);
  } else {
    options.key_comment = survey.records == 0
                              ? std::string("There was no record to find it in")
                              : fmt::format(
                                    "No column, and no two or three of them together, is unique and "
                                    "never empty in {}",
                                    among);
  }
}

}  // namespace sluice::app
