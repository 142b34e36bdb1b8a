// The standard data of the benchmarks: a row is a pure function of its id, so every variant and every machine
// has the same bytes. About 120 bytes a row as CSV.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

struct SampleRow {
  std::int64_t id = 0;
  std::string code;
  std::string name;  // several scripts, quotes and commas
  std::string_view country;
  std::int64_t quantity = 0;
  std::int64_t price_cents = 0;
  bool active = false;
  std::int64_t updated_at = 0;  // seconds since 1970
  std::string notes;            // "" = NULL
};

// splitmix64 (Steele, Lea, Flood 2014; public domain reference by Vigna).
inline std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

// `version` 0 is the first day's row; others differ in quantity, price and time.
inline SampleRow sample_row(std::int64_t id, std::uint64_t version = 0) {
  static constexpr std::array<std::string_view, 16> kThings = {
      "Tea",      "Café crème", "Grüner Tee", "Żurek",     "お茶セット",   "чай чёрный",
      "شاي أخضر", "Smørrebrød", "Piñata",     "Desk lamp", "Crème brûlée", "Tür 2,5 m",
      "螺丝刀",   "Bolt, M8",   "Ελιές",      "Süßstoff"};
  static constexpr std::array<std::string_view, 8> kKinds = {
      "\"Premium\"", "large", "6\" wide", "spare part", "No. 7, red", "bio", "set of 4", "\"B\" stock"};
  static constexpr std::array<std::string_view, 12> kCountries = {"DE", "CH", "AT", "FR", "PL", "JP",
                                                                  "US", "BR", "IN", "NO", "GR", "CN"};
  static constexpr std::array<std::string_view, 4> kNotes = {
      "Deliver to the back door, ring twice",
      "Customer asked for a \"quiet\" courier; call ahead of delivery",
      "Zerbrechlich – bitte nicht stürzen, nicht stapeln", "first line\nsecond line, checked by hand"};
  const auto stable = mix(static_cast<std::uint64_t>(id));
  const auto moving = mix(static_cast<std::uint64_t>(id) ^ version << 48);
  SampleRow row;
  row.id = id;
  row.code =
      fmt::format("SKU-{:08X}", static_cast<std::uint32_t>(id * 2654435761));  // odd factor: unique to 2^32
  row.name = fmt::format("{} {} {}", kThings[stable % 16], kKinds[stable / 16 % 8], stable / 128 % 1000);
  row.country = kCountries[stable / 128'000 % 12];
  row.quantity = static_cast<std::int64_t>(moving % 10'000);
  row.price_cents = static_cast<std::int64_t>(moving / 10'000 % 10'000'000);
  row.active = stable / 7 % 8 != 0;
  row.updated_at = 1'735'689'600 + static_cast<std::int64_t>(moving / 1'000'000'000 % 31'536'000);
  if (stable / 56 % 2 == 0) row.notes = kNotes[stable / 112 % 4];
  return row;
}

// Day 2: 1 % of the rows changed, 0.5 % gone, 0.5 % new.
inline bool changed_on_day_2(std::int64_t id) { return mix(static_cast<std::uint64_t>(id) + 17) % 200 < 2; }
inline bool gone_on_day_2(std::int64_t id) { return mix(static_cast<std::uint64_t>(id) + 17) % 200 == 2; }

}  // namespace sluice::bench
