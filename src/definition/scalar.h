// What a scalar says, by YAML 1.2 core rules and our own units. Plain functions of text.
#pragma once

#include "model/spec.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::definition {

std::optional<bool> parse_boolean(std::string_view text);          // true True TRUE false False FALSE
std::optional<bool> parse_nox_boolean(std::string_view text);      // YamlDotNet's: also y yes on n no off
std::optional<std::int64_t> parse_integer(std::string_view text);  // 12 -3 0o17 0xFF; 017 is 17

// "500ms" "30s" "5m" "2h" "7d" "1w", also "1h30m"; a bare 0. At most 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);

// "64MiB" "10 MB" "1024": bytes. KiB MiB GiB TiB count by 1024, kB KB MB GB TB by 1000.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

// "5%" "12.5%" or a count.
std::optional<Limit> parse_limit(std::string_view text);

// "," ";" "|" "tab" "\t" "space" and any other single ASCII character.
std::optional<char> parse_character(std::string_view text);

}  // namespace sluice::definition
