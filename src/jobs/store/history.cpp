#include "jobs/store/history.h"

#include "jobs/store/database.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sluice::jobs {
namespace {

// A text as JSON. Mostly it is short and needs no escapes: two lines are written for every job.
std::string quoted(std::string_view text) {
  const bool plain =
      std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (plain) return fmt::format("\"{}\"", text);
  return nlohmann::json(storable(text)).dump();
}

}  // namespace

std::string history_line(JobState state, Timestamp at, int attempt, std::string_view node,
                         std::string_view reason) {
  return fmt::format("[{}, {}, {}, {}, {}]\n", static_cast<int>(state), at.time_since_epoch().count(),
                     attempt, quoted(node), quoted(reason));
}

Result<std::vector<StateChange>> read_history(JobId job, std::string_view lines) {
  std::vector<StateChange> changes;
  while (!lines.empty()) {
    const std::string_view text = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), text.size() + 1));
    const auto line = nlohmann::json::parse(text, nullptr, false);
    const bool known = line.is_array() && line.size() == 5 && line[0].is_number_integer() &&
                       line[1].is_number_integer() && line[2].is_number_integer() && line[3].is_string() &&
                       line[4].is_string();
    if (!known || line[0] < 0 || line[0] >= static_cast<int>(kJobStateCount)) {
      return fail(ErrorCode::malformed,
                  fmt::format("job {} has a history that this program does not know", job.value()));
    }
    changes.push_back({job, static_cast<int>(changes.size()) + 1, static_cast<JobState>(line[0].get<int>()),
                       Timestamp(std::chrono::microseconds(line[1].get<std::int64_t>())), line[2].get<int>(),
                       line[3].get<std::string>(), line[4].get<std::string>()});
  }
  return changes;
}

}  // namespace sluice::jobs
