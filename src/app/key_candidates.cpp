#include "app/key_candidates.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

namespace sluice::app {
namespace {

constexpr std::size_t kMostHashes = 2'000'000;
// Text that is longer describes something; it does not name it.
constexpr std::size_t kLongestKey = 256;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9E37'79B9'7F4A'7C15u + (hash << 6) + (hash >> 2);
  hash *= 0xFF51'AFD7'ED55'8CCDu;
  return hash ^ (hash >> 33);
}

// The smaller, the likelier: by the last word of the name.
int rank_of(std::string_view name, std::string_view loader) {
  constexpr std::array<std::string_view, 4> kIds = {"id", "uuid", "guid", "key"};
  constexpr std::array<std::string_view, 9> kCodes = {"code", "number", "no",   "nr",    "ref",
                                                      "sku",  "iban",   "isin", "symbol"};
  const auto word = snake_case(name);
  const auto last = word.substr(word.rfind('_') == std::string::npos ? 0 : word.rfind('_') + 1);
  const auto is_in = [](const auto& words, std::string_view one) {
    return std::find(words.begin(), words.end(), one) != words.end();
  };
  const bool own = word == last || word == snake_case(loader) + "_" + last;
  if (is_in(kIds, last)) return own ? 0 : 2;
  if (is_in(kCodes, last)) return own ? 1 : 3;
  return 4;
}

}  // namespace

UniqueGroups::UniqueGroups(std::vector<ColumnGroup> groups) {
  for (auto& columns : groups) groups_.push_back({.columns = std::move(columns), .seen = {}});
}

void UniqueGroups::follow(Followed& group, const RowBatch& batch) {
  for (std::size_t row = 0; row < batch.rows() && group.unique; ++row) {
    std::uint64_t hash = 0;
    for (const auto column : group.columns) {
      const auto& cells = batch.columns()[column];
      if (cells.null[row] != 0) {
        group.unique = false;
      } else if (is_fixed(cells.type)) {
        hash = mixed(hash, static_cast<std::uint64_t>(cells.fixed[row]));
      } else {
        hash = mixed(hash, std::hash<std::string_view>{}(cells.bytes[row]));
        if (cells.bytes[row].size() > kLongestKey) group.unique = false;
      }
    }
    group.unique = group.unique && group.seen.insert(hash).second;
  }
}

void UniqueGroups::add(const RowBatch& batch) {
  if (batch.rows() == 0) return;
  if (held_ > kMostHashes) {
    whole_ = false;
    return;
  }
  held_ = 0;
  for (auto& group : groups_) {
    if (group.unique) follow(group, batch);
    if (!group.unique) group.seen = {};
    held_ += group.seen.size();
  }
  rows_ += static_cast<std::int64_t>(batch.rows());
}

std::vector<ColumnGroup> UniqueGroups::unique() const {
  std::vector<ColumnGroup> result;
  for (const auto& group : groups_) {
    if (group.unique) result.push_back(group.columns);
  }
  return result;
}

std::vector<std::size_t> likely_keys(const Schema& schema, std::string_view loader) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    switch (schema.columns[i].type) {
      case ValueType::int64:
      case ValueType::text:
      case ValueType::date:
      case ValueType::timestamp:
        columns.push_back(i);
        break;
      default:
        break;
    }
  }
  const auto place = [&](std::size_t column) {
    return std::pair(rank_of(schema.columns[column].name, loader), column);
  };
  std::sort(columns.begin(), columns.end(),
            [&](std::size_t a, std::size_t b) { return place(a) < place(b); });
  return columns;
}

std::vector<ColumnGroup> groups_of(std::span<const std::size_t> columns, std::size_t size) {
  // Choices of places in the list, in order of their sum: the likeliest columns together come first.
  std::vector<std::vector<std::size_t>> choices;
  std::vector<std::size_t> chosen(size);
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  while (size > 0 && size <= columns.size()) {
    choices.push_back(chosen);
    std::size_t at = size;
    while (at > 0 && chosen[at - 1] == columns.size() - size + at - 1) --at;
    if (at == 0) break;
    ++chosen[at - 1];
    for (std::size_t i = at; i < size; ++i) chosen[i] = chosen[i - 1] + 1;
  }
  const auto sum = [](const auto& choice) {
    return std::accumulate(choice.begin(), choice.end(), std::size_t{0});
  };
  std::sort(choices.begin(), choices.end(),
            [&](const auto& a, const auto& b) { return sum(a) != sum(b) ? sum(a) < sum(b) : a < b; });
  std::vector<ColumnGroup> groups;
  for (const auto& choice : choices) {
    ColumnGroup group;
    for (const auto place : choice) group.push_back(columns[place]);
    std::sort(group.begin(), group.end());
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace sluice::app
