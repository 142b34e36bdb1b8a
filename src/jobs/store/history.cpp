#include "jobs/store/history.h"

#include "jobs/store/database.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace sluice::jobs {
namespace {

// Adds a text as JSON. Mostly it is short and needs no escapes.
void add_quoted(std::string& line, std::string_view text) {
  const bool plain =
      std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (!plain) {
    line += nlohmann::json(storable(text)).dump();
    return;
  }
  line += '"';
  line += text;
  line += '"';
}

void add_number(std::string& line, std::int64_t number) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  line.append(digits.data(), end);
}

constexpr std::string_view kEllipsis = "…";
// Cut in one go now and then, not with every line.
constexpr std::size_t kMostBetween = 100;
// No history of so few bytes has lines to be left out: the shortest line has 20.
constexpr int kShort = 20 * static_cast<int>(kFirstLines + kMostBetween + kNewestLines);

std::string_view next_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  return line;
}

// ["left out", 1234]; 0 = another line.
std::size_t left_out_of(const nlohmann::json& line) {
  const bool is =
      line.is_array() && line.size() == 2 && line[0] == "left out" && line[1].is_number_unsigned();
  return is ? line[1].get<std::size_t>() : 0;
}

}  // namespace

std::string history_line(JobState state, Timestamp at, int attempt, std::string_view node,
                         std::string_view reason) {
  if (reason.size() > kMostReason) {
    std::size_t end = kMostReason;
    while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0U) == 0x80U)
      --end;  // not inside a letter
    return history_line(
        state, at, attempt, node,
        std::string(reason.substr(0, end - std::min(end, kEllipsis.size()))) + std::string(kEllipsis));
  }
  // By hand, as two of them are written for every job.
  std::string line;
  line.reserve(64 + node.size() + reason.size());
  line += '[';
  add_number(line, static_cast<int>(state));
  line += ", ";
  add_number(line, at.time_since_epoch().count());
  line += ", ";
  add_number(line, attempt);
  line += ", ";
  add_quoted(line, node);
  line += ", ";
  add_quoted(line, reason);
  line += "]\n";
  return line;
}

std::vector<StateChange> read_history(JobId job, std::string_view lines) {
  std::vector<StateChange> changes;
  int seq = 0;
  while (!lines.empty()) {
    const auto line = nlohmann::json::parse(next_line(lines), nullptr, false);
    if (const auto left_out = left_out_of(line)) {
      seq += static_cast<int>(left_out);
      continue;
    }
    ++seq;
    const bool readable = line.is_array() && line.size() == 5 && line[0].is_number_integer() &&
                          line[1].is_number_integer() && line[2].is_number_integer() && line[3].is_string() &&
                          line[4].is_string();
    if (!readable || line[0] < 0 || line[0] >= static_cast<int>(kJobStateCount)) continue;
    changes.push_back({job, seq, static_cast<JobState>(line[0].get<int>()),
                       Timestamp(std::chrono::microseconds(line[1].get<std::int64_t>())), line[2].get<int>(),
                       line[3].get<std::string>(), line[4].get<std::string>()});
  }
  return changes;
}

std::string cut_history(std::string_view lines) {
  std::vector<std::string_view> all;
  for (std::string_view rest = lines; !rest.empty();) all.push_back(next_line(rest));
  if (all.size() <= kFirstLines + kMostBetween + kNewestLines) return std::string(lines);
  const std::size_t newest = all.size() - kNewestLines;
  std::size_t left_out = 0;
  for (std::size_t i = kFirstLines; i < newest; ++i) {
    const auto before = left_out_of(nlohmann::json::parse(all[i], nullptr, false));
    left_out += before == 0 ? 1 : before;
  }
  std::string cut;
  const auto add = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) cut.append(all[i]).push_back('\n');
  };
  add(0, kFirstLines);
  cut += fmt::format("[\"left out\", {}]\n", left_out);
  add(newest, all.size());
  return cut;
}

Result<void> cut_history(Database& database, JobId job) {
  std::optional<std::string> cut;
  SLUICE_CHECK(database.each(
      "select history from job where id = ? and length(history) > ?",
      [&](const Row& row) -> Result<void> {
        const std::string lines = row.text(0);
        if (auto shorter = cut_history(lines); shorter.size() < lines.size()) cut = std::move(shorter);
        return {};
      },
      job, kShort));
  if (cut) SLUICE_CHECK(database.run("update job set history = ? where id = ?", *cut, job));
  return {};
}

}  // namespace sluice::jobs
