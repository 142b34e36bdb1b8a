// Any bytes as a phrase: no crash, errors inside the text, and what is accepted reads back and compiles.
#include "english_cron/schedule.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view phrase(reinterpret_cast<const char*>(data), size);
  const auto translation = english_cron::translate(phrase);
  if (!translation) {
    if (translation.error().offset + translation.error().length > size || translation.error().message.empty())
      std::abort();
    return 0;
  }
  const auto schedule = english_cron::Schedule::compile(*translation);
  if (!schedule) std::abort();
  const std::chrono::sys_seconds from{std::chrono::sys_days(std::chrono::year(2026) / 3 / 28)};
  const auto next = schedule->next(from);
  if (next && (*next <= from || schedule->previous(*next, true) != next)) std::abort();
  if (translation->english.size() > english_cron::kMaxPhraseLength) return 0;
  const auto again = english_cron::translate(translation->english);
  if (!again || again->never() != translation->never()) std::abort();
  return 0;
}
