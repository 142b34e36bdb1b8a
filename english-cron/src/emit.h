// Plans -> crons or a true interval.
#pragma once

#include "plan.h"

#include <cstdint>
#include <expected>
#include <string>

namespace english_cron {

enum class ListStyle : std::uint8_t {
  fixed,   // commas only: in a time field, a range would make the cron an interval
  spread,  // ranges and steps wherever they fit, for intervals
  tidy,    // ranges of three and more, for days and months
};
std::string field_text(std::uint64_t bits, int low, int high, ListStyle style);

std::expected<Translation, PhraseError> emit(const Parsed& parsed, const TranslateOptions& options);

}  // namespace english_cron
