// Cron text typed in where a phrase is expected.
#pragma once

#include "english_cron/translation.h"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace english_cron {

struct RawCron {
  std::string cron;
  std::string zone;    // of "CRON_TZ=Europe/Zurich 0 9 * * *" or "0 9 * * * Europe/Zurich", else empty
  std::string phrase;  // "@every 5m" stands for a phrase
  std::string warning;
};

/// Nothing when the text reads as English; an error when it is meant as cron and is wrong.
std::expected<std::optional<RawCron>, PhraseError> read_raw_cron(std::string_view phrase);

}  // namespace english_cron
