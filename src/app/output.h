// What commands print. A reader who went away or a full disk never throws into a command and never stops a
// load half-way; main asks once, at the end, whether everything could be written.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace sluice::app {

void write_out(std::string_view text);  // standard output
void write_err(std::string_view text);  // standard error

template <class... Args>
void out(fmt::format_string<Args...> format, Args&&... args) {
  write_out(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void err(fmt::format_string<Args...> format, Args&&... args) {
  write_err(fmt::format(format, std::forward<Args>(args)...));
}

// Gives the three standard streams a file when the caller closed them: the next file opened would otherwise
// become standard output, and be printed into. Called first of all.
void hold_standard_streams();

// Flushes standard output. Gives `exit_code`, but 3 (and a line on standard error) when a command that went
// well could not write all of its answer. A reader who closed the pipe wanted no more: that is no failure.
int finish_output(int exit_code);

}  // namespace sluice::app
