// The command line's mistakes in plain words: which option or command is unknown, and what was likely meant.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

struct Mistake {
  std::string message;  // "unknown option "--jsno"; did you mean "--json"?"
  std::string command;  // whose --help tells more: "run", or "" for the program's own
};

// The first mistake in the words (without the program's name); nothing when all of them are known. Where help
// is asked for, only an unknown command is one. Values are for the parser to judge.
std::optional<Mistake> find_mistake(const CLI::App& app, std::span<const std::string> words);

// "help run" -> "run --help", "version" -> "--version"; everything else as it is.
std::vector<std::string> with_help_option(std::vector<std::string> words);

// Whether the answer is to be JSON, also when the rest of the line could not be parsed.
bool wants_json(std::span<const std::string> words);

// Refuses the empty text, which a variable that is not set leaves behind.
CLI::Validator not_empty();
// Takes whole numbers in the range, ends included, and says so in words.
CLI::Validator whole_number(long long least, long long most);

}  // namespace sluice::app
