// Runs of a cron in some zone around some time: in order, found from both sides, none between two neighbours.
#include "english_cron/schedule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

namespace {

constexpr const char* kZones[] = {"UTC",
                                  "Europe/Zurich",
                                  "America/New_York",
                                  "Australia/Lord_Howe",
                                  "Pacific/Apia",
                                  "Asia/Amman",
                                  "America/Sao_Paulo",
                                  "Africa/Casablanca",
                                  "Pacific/Chatham",
                                  "Asia/Kolkata",
                                  "Antarctica/Troll",
                                  "Europe/Dublin",
                                  "America/Argentina/San_Luis",
                                  "Asia/Manila",
                                  "UTC+05:45",
                                  "Africa/Monrovia"};

}  // namespace

// One byte for the zone, eight for the time, the rest is cron text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 9) return 0;
  english_cron::Translation raw;
  raw.zone = kZones[data[0] % std::size(kZones)];
  std::int64_t seconds = 0;
  std::memcpy(&seconds, data + 1, sizeof seconds);
  seconds %= std::int64_t{300} * 366 * 86400;  // 1670 to 2270
  const std::chrono::sys_seconds from{std::chrono::seconds(seconds)};
  raw.crons.emplace_back(reinterpret_cast<const char*>(data) + 9, size - 9);
  const auto schedule = english_cron::Schedule::compile(raw);
  if (!schedule) return 0;

  auto at = from;
  for (int i = 0; i < 8; ++i) {
    const auto next = schedule->next(at);
    const auto previous = schedule->previous(at);
    if (next && *next <= at) std::abort();
    if (previous && *previous >= at) std::abort();
    if (previous && schedule->next(*previous).value_or(at) < at) std::abort();
    if (!next) break;
    if (schedule->previous(*next).value_or(at) > at) std::abort();
    at = *next;
  }
  return 0;
}
