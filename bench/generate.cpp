// bench_data DIR [--rows N]: writes the standard data set into DIR: first.csv and first.json, one.csv and
// one.json (one row changed), day2.csv (1 % changed, 0.5 % gone, 0.5 % new). The same bytes on every machine.
#include "bench/sample_row.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>

namespace sluice::bench {
namespace {

struct Variant {
  std::string_view name;
  std::function<bool(std::int64_t)> has;
  std::function<std::uint64_t(std::int64_t)> version;
  std::int64_t last;
};

void append_csv_text(std::string_view value, std::string& out) {
  if (value.find_first_of(",\"\n") == std::string_view::npos) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_json_text(std::string_view value, std::string& out) {
  out += '"';
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

std::string utc(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

void append_csv(const SampleRow& row, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{},{},", row.id, row.code);
  append_csv_text(row.name, out);
  fmt::format_to(std::back_inserter(out), ",{},{},{}.{:02},{},{},", row.country, row.quantity,
                 row.price_cents / 100, row.price_cents % 100, row.active, utc(row.updated_at));
  append_csv_text(row.notes, out);
  out += '\n';
}

void append_json(const SampleRow& row, std::string& out) {
  fmt::format_to(std::back_inserter(out), R"({{"id":{},"code":"{}","name":)", row.id, row.code);
  append_json_text(row.name, out);
  fmt::format_to(std::back_inserter(out),
                 R"(,"country":"{}","quantity":{},"price":{}.{:02},"active":{},"updated_at":"{}","notes":)",
                 row.country, row.quantity, row.price_cents / 100, row.price_cents % 100, row.active,
                 utc(row.updated_at));
  if (row.notes.empty()) {
    out += "null";
  } else {
    append_json_text(row.notes, out);
  }
  out += '}';
}

bool write(const std::filesystem::path& path, const Variant& variant, bool json) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  constexpr std::size_t kFlush = 1u << 20;
  std::string out = json ? "[\n" : "id,code,name,country,quantity,price,active,updated_at,notes\n";
  bool good = true;
  bool first = true;
  for (std::int64_t id = 1; id <= variant.last && good; ++id) {
    if (!variant.has(id)) continue;
    const auto row = sample_row(id, variant.version(id));
    if (json) {
      if (!first) out += ",\n";
      append_json(row, out);
    } else {
      append_csv(row, out);
    }
    first = false;
    if (out.size() < kFlush) continue;
    good = std::fwrite(out.data(), 1, out.size(), file) == out.size();
    out.clear();
  }
  if (json) out += "\n]\n";
  good = good && std::fwrite(out.data(), 1, out.size(), file) == out.size();
  return std::fclose(file) == 0 && good;
}

int run(int count, char** words) {
  std::filesystem::path folder;
  std::int64_t rows = 1'000'000;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--rows" && i + 1 < count) {
      const std::string_view number = words[++i];
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rows);
      if (error == std::errc() && end == number.data() + number.size() && rows > 0) continue;
    } else if (folder.empty() && !word.starts_with("-")) {
      folder = word;
      continue;
    }
    folder.clear();
    break;
  }
  if (folder.empty()) {
    std::fputs("usage: bench_data DIR [--rows N]\n", stderr);
    return 2;
  }
  const auto all = [](std::int64_t) { return true; };
  const auto first_day = [](std::int64_t) { return std::uint64_t{0}; };
  const Variant first{"first", all, first_day, rows};
  const Variant one{"one", all, [rows](std::int64_t id) { return id == (rows + 1) / 2 ? 1u : 0u; }, rows};
  const Variant day2{"day2", [rows](std::int64_t id) { return id > rows || !gone_on_day_2(id); },
                     [rows](std::int64_t id) { return id <= rows && changed_on_day_2(id) ? 1u : 0u; },
                     rows + rows / 200};
  std::filesystem::create_directories(folder);
  for (const auto* variant : {&first, &one, &day2}) {
    for (const bool json : {false, true}) {
      if (json && variant == &day2) continue;
      const auto path = folder / fmt::format("{}.{}", variant->name, json ? "json" : "csv");
      if (write(path, *variant, json)) continue;
      std::perror(path.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int count, char** words) {
  try {
    return sluice::bench::run(count, words);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "bench_data: %s\n", problem.what());
    return 1;
  }
}
