// Any bytes as cron text: refused with a place, or read back as the same schedule.
#include "english_cron/schedule.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  english_cron::Translation raw;
  raw.zone = "Europe/Zurich";
  raw.crons.emplace_back(reinterpret_cast<const char*>(data), size);
  const auto schedule = english_cron::Schedule::compile(raw);
  if (!schedule) {
    const auto& error = schedule.error();
    if (error.message.empty() || error.offset > size || error.offset + error.length > size) std::abort();
    return 0;
  }
  const std::chrono::sys_seconds from{std::chrono::sys_days(std::chrono::year(2026) / 10 / 24)};
  const auto next = schedule->next(from);
  if (schedule->never() && next) std::abort();
  if (next && (*next <= from || schedule->previous(*next, true) != next)) std::abort();

  const std::string english = english_cron::explain(raw);
  if (english.size() > english_cron::kMaxPhraseLength) return 0;
  const auto again = english_cron::translate(english);
  if (!again) std::abort();
  const auto compiled = english_cron::Schedule::compile(*again);
  if (!compiled || compiled->between(from, from + std::chrono::days(500), 60) !=
                       schedule->between(from, from + std::chrono::days(500), 60)) {
    std::abort();
  }
  return 0;
}
