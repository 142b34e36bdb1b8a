#include "base/log.h"

#include "base/text.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdlib>

namespace sluice {

Result<void> set_up_log(std::string_view level) {
  static constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info",
                                                              "warn",  "error", "off"};
  const auto wanted = to_lower(level);
  if (std::find(kLevels.begin(), kLevels.end(), wanted) == kLevels.end()) {
    return fail(ErrorCode::invalid_argument, "unknown log level \"" + std::string(level) +
                                                 "\"; use trace, debug, info, warn, error or off");
  }
  // Colours only for eyes, and not for those who said no (https://no-color.org).
  const char* no_colour = std::getenv("NO_COLOR");
  const bool plain = no_colour != nullptr && *no_colour != '\0';
  auto logger =
      spdlog::stderr_color_mt("sluice", plain ? spdlog::color_mode::never : spdlog::color_mode::automatic);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(wanted));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace sluice
