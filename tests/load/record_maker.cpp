#include "load/record_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sluice::load::test {
namespace {

std::string decimal_text(std::int64_t value, int scale) {  // canonical
  const auto ten = [](int n) {
    std::int64_t power = 1;
    while (n-- > 0) power *= 10;
    return power;
  };
  while (scale > 0 && value % 10 == 0) {
    value /= 10;
    --scale;
  }
  const auto size = value < 0 ? -value : value;
  std::string text = (value < 0 ? "-" : "") + std::to_string(size / ten(scale));
  if (scale > 0) text += fmt::format(".{:0{}}", size % ten(scale), scale);
  return text;
}

}  // namespace

Cell RecordMaker::cell(Kind kind) {
  static const std::vector<std::string> words = {
      "",           "a",           "A",           "ä",         "日本",     "💡",
      "say \"hi\"", "a,b",         "line\nbreak", "cr\r\nlf",  " leading", "trailing ",
      "007",        "NULL",        "null",        "true",      "1.50",     "a;b",
      "tab\there",  "back\\slash", "it's",        "2024-01-31"};
  switch (kind) {
    case Kind::integer: {
      static const std::vector<std::string> ends = {"9223372036854775807", "-9223372036854775808", "0", "-1"};
      return {kind, chance(random_, 5) ? ends[random_() % ends.size()]
                                       : std::to_string(below(random_, 2000) - 1000)};
    }
    case Kind::decimal:
      return {kind, decimal_text(static_cast<std::int64_t>(random_() % 20'000'000'001) - 10'000'000'000,
                                 below(random_, 5))};
    case Kind::real: {
      const int quarters = below(random_, 4000) - 2000;
      return {kind, fmt::format("{}{}.{}", quarters < 0 ? "-" : "", std::abs(quarters) / 4,
                                std::vector<std::string>{
                                    "0", "25", "5", "75"}[static_cast<std::size_t>(std::abs(quarters) % 4)])};
    }
    case Kind::boolean:
      return {kind, chance(random_, 50) ? "true" : "false"};
    case Kind::date:
      return {kind, fmt::format("{}-{:02}-{:02}", 1950 + below(random_, 100), 1 + below(random_, 12),
                                1 + below(random_, 28))};
    case Kind::timestamp:
      return {kind, fmt::format("{}T{}:{:02}:{:02}{}Z", cell(Kind::date).text, 10 + below(random_, 10),
                                below(random_, 60), below(random_, 60), chance(random_, 30) ? ".25" : "")};
    case Kind::text:
      return {kind, chance(random_, 60) ? words[random_() % words.size()]
                                        : fmt::format("w{}", below(random_, 1000))};
  }
  return {};
}

Cell RecordMaker::evolving(Kind kind) {
  // Inferred: nothing that another type could be read from. Real is what no decimal holds.
  if (kind == Kind::integer) return {kind, std::to_string(below(random_, 2000) - 1000)};
  if (kind == Kind::decimal)
    return {kind, decimal_text(below(random_, 100'000) * 10 + 1, 1 + below(random_, 3))};
  if (kind == Kind::real)
    return {kind, fmt::format("{}.{}e-60", 1 + below(random_, 9), 1 + below(random_, 9))};
  if (kind == Kind::text) return {kind, fmt::format("w{}", below(random_, 50))};
  return cell(kind);
}

Row RecordMaker::row(std::optional<Kind> evolving_kind) {
  Row row;
  for (const auto& column : key_) row[column.name] = key_part(column.kind);
  for (const auto& column : values_) {
    if (!chance(random_, 15)) row[column.name] = cell(column.kind);
  }
  if (evolving_kind && !chance(random_, 15)) row[kEvolving] = evolving(*evolving_kind);
  return row;
}

std::vector<Record> RecordMaker::fresh(int count, std::optional<Kind> evolving_kind) {
  std::vector<Record> records;
  for (int i = 0; i < count; ++i) records.push_back({row(evolving_kind)});
  return records;
}

std::vector<Record> RecordMaker::later(const std::vector<Record>& before, std::optional<Kind> evolving_kind) {
  const int goes = std::vector<int>{0, 3, 20, 90}[static_cast<std::size_t>(below(random_, 4))];
  const int changes = below(random_, 30);
  std::vector<Record> records;
  for (const auto& record : before) {
    if (record.bad || chance(random_, goes)) continue;
    records.push_back(record);
    if (!chance(random_, changes)) continue;
    auto changed = row(evolving_kind);
    for (const auto& column : key_) {
      if (const auto part = record.row.find(column.name); part != record.row.end())
        changed[column.name] = part->second;
    }
    records.back().row = std::move(changed);
  }
  for (auto& record : fresh(below(random_, 3 + static_cast<int>(before.size()) / 10), evolving_kind))
    records.push_back(std::move(record));
  if (chance(random_, 30)) std::shuffle(records.begin(), records.end(), random_);
  return records;
}

void RecordMaker::spoil(std::vector<Record>& records, const std::string& number) {
  for (auto& record : records) {
    if (!chance(random_, 5)) continue;
    record.row.erase(kEvolving);
    if (!number.empty() && chance(random_, 70)) {
      record.bad = true;
      record.row.erase(number);
    } else if (!key_.empty()) {
      record.row.erase(key_[random_() % key_.size()].name);
    }
  }
}

Cell RecordMaker::key_part(Kind kind) {
  // Two ways to write é, blanks at the ends, and what only a byte tells apart.
  static const std::vector<std::string> odd = {"",  "ä",       "A",  "a",  "\"", ",", "\n", "日本", "x'y",
                                               "é", "e\u0301", "a ", " a", "💡", "ﬀ", "ff", "%",    "_"};
  const int number = below(random_, keys_);
  if (kind == Kind::integer) return {kind, std::to_string(number - keys_ / 4)};
  if (kind == Kind::decimal) return {kind, decimal_text(number - keys_ / 4, 2)};
  if (kind == Kind::date)
    return {kind, fmt::format("{}-{:02}-{:02}", 1970 + number / 336, 1 + number / 28 % 12, 1 + number % 28)};
  return {kind, static_cast<std::size_t>(number) < odd.size() ? odd[static_cast<std::size_t>(number)]
                                                              : fmt::format("k{}", number)};
}

}  // namespace sluice::load::test
