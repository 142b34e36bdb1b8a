#include "load/run_log.h"

#include "base/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>
#include <utility>
#include <vector>

namespace sluice::load {
namespace {

// "1 file", "3 files"
std::string counted(std::int64_t number, std::string_view word) {
  return fmt::format("{} {}{}", group_digits(number), word, number == 1 ? "" : "s");
}

std::string_view encoding_word(decode::Encoding encoding) {
  switch (encoding) {
    case decode::Encoding::utf8:
      return "utf-8";
    case decode::Encoding::utf16le:
    case decode::Encoding::utf16be:
      return "utf-16";
    case decode::Encoding::windows1252:
      return "windows-1252";
    case decode::Encoding::latin1:
      return "iso-8859-1";
  }
  return "";
}

std::string delimiter_word(char delimiter) {
  return delimiter == '\t' ? std::string("tab") : fmt::format("'{}'", printable({&delimiter, 1}));
}

// The last part of a path or URL: the first line about a source has named the whole.
std::string short_name(const std::string& name) {
  const auto slash = name.find_last_of('/');
  const auto last = slash == std::string::npos ? name : name.substr(slash + 1);
  return printable(last.empty() ? name : last);
}

}  // namespace

std::string_view to_string(Observer::Phase phase) {
  switch (phase) {
    case Observer::Phase::fetch:
      return "fetch";
    case Observer::Phase::compare:
      return "compare";
    case Observer::Phase::apply:
      return "apply";
  }
  return "";
}

std::string begin_line(const LoaderSpec& loader) {
  const auto& key = loader.target.key;
  return fmt::format("load {} into table {}: mode {}, {}", loader.name, loader.target.table,
                     to_string(loader.mode),
                     key.empty() ? "no key" : fmt::format("key {}", fmt::join(key, ", ")));
}

std::string fetched_line(const SourceSpec& source, const fetch::Fetched& fetched) {
  const bool http = source.kind == SourceSpec::Kind::http;
  const auto name = source_label(source);
  if (fetched.not_modified && fetched.items.empty())
    return fmt::format("read {}: not modified, the server says so (304)", name);
  if (fetched.not_modified && fetched.bytes == 0)
    return fmt::format("read {}: not modified, size and times are those of the last load", name);
  if (fetched.not_modified)
    return fmt::format("read {}: not modified, the bytes are those of the last load", name);
  std::uint64_t bytes = 0;
  for (const auto& item : fetched.items) bytes += item.validators.length;
  if (!http) {
    return fmt::format("read {}: {}, {}", name,
                       counted(static_cast<std::int64_t>(fetched.items.size()), "file"),
                       counted(static_cast<std::int64_t>(bytes), "byte"));
  }
  const auto type = fetched.items.empty() ? std::string() : fetched.items.front().content_type;
  return fmt::format("read {}: {} in {}{}", name, counted(static_cast<std::int64_t>(bytes), "byte"),
                     counted(fetched.requests, "request"),
                     type.empty() ? "" : fmt::format(", content type {}", printable(type)));
}

std::string format_line(const ProbedItem& item) {
  const auto& probe = item.probe;
  std::vector<std::string> facts = {std::string(to_string(probe.format))};
  if (!probe.compression.empty()) facts.push_back(probe.compression);
  if (probe.format == Format::csv) {
    facts.emplace_back(encoding_word(probe.csv.encoding));
    facts.push_back("delimiter " + delimiter_word(probe.csv.delimiter));
    if (!probe.csv.header) facts.emplace_back("no header");
  }
  if (probe.format == Format::json)
    facts.push_back(fmt::format("records {}at {}", probe.records_found ? "found " : "", probe.records));
  return fmt::format("{}: {}, {} in {}{}", short_name(item.input.name), fmt::join(facts, ", "),
                     counted(static_cast<std::int64_t>(probe.columns.size()), "field"),
                     probe.complete ? "" : "the first ",
                     counted(static_cast<std::int64_t>(probe.sampled_records), "record"));
}

std::string stream_line(const LoaderSpec& loader, const upsert::Inspection& found) {
  if (found.first_load()) return "first load: the rows go straight into the table";
  if (loader.mode == LoadMode::replace) return "the table is emptied and filled anew";
  return "the rows are appended, none is compared";
}

std::string compare_line(const upsert::Inspection& found, bool by_columns) {
  return fmt::format("compared with the {} of {}", by_columns ? "columns" : "fingerprints",
                     counted(found.known_rows(), "row"));
}

std::string counts_line(const Receipt& receipt) {
  const std::array<std::pair<std::int64_t, std::string_view>, 8> counts = {{
      {receipt.inserted, "inserted"},
      {receipt.updated, "updated"},
      {receipt.restored, "restored"},
      {receipt.unchanged, "unchanged"},
      {receipt.deleted_by_source, "deleted by the source"},
      {receipt.ignored, "ignored"},
      {receipt.duplicates, receipt.duplicates == 1 ? "duplicate" : "duplicates"},
      {receipt.rejected, "rejected"},
  }};
  std::vector<std::string> parts;
  for (const auto& [number, word] : counts) {
    if (number > 0) parts.push_back(fmt::format("{} {}", group_digits(number), word));
  }
  auto line = counted(receipt.read, "record") + " read";
  if (!parts.empty()) line += fmt::format(": {}", fmt::join(parts, ", "));
  if (receipt.vanished > 0) {
    line += fmt::format("; {} vanished from the source, {} deleted", group_digits(receipt.vanished),
                        group_digits(receipt.deleted));
  } else if (receipt.deleted > 0) {
    line += fmt::format("; {} deleted", counted(receipt.deleted, "row"));
  }
  return line;
}

std::string guard_line(const GuardVerdict& verdict) {
  return fmt::format("guard {}: {}, the limit is {}: {}", verdict.guard, verdict.actual, verdict.limit,
                     verdict.verdict);
}

std::string commit_line(std::string_view table, std::int64_t rows, std::int64_t generation) {
  return fmt::format("committed: table {} has {}, generation {}", table, counted(rows, "row"),
                     group_digits(generation));
}

std::string end_line(const Receipt& receipt) {
  if (!receipt.error) return fmt::format("{} in {} ms", receipt.state, group_digits(receipt.duration_ms));
  return fmt::format("{} after {} ms; nothing was written",
                     receipt.state == "deleted" ? "stopped" : receipt.state,
                     group_digits(receipt.duration_ms));
}

}  // namespace sluice::load
