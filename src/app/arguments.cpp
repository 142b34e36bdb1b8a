#include "app/arguments.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::app {
namespace {

bool is_option(std::string_view word) { return word.size() > 1 && word.front() == '-'; }
std::string_view name_of(std::string_view word) { return word.substr(0, word.find('=')); }

const CLI::Option* find_option(const CLI::App* app, std::string_view name) {
  return app == nullptr ? nullptr : app->get_option_no_throw(std::string(name));
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::vector<std::string> option_names(const CLI::App& app, const CLI::App* command) {
  std::vector<std::string> names;
  for (const auto* owner : {&app, command}) {
    if (owner == nullptr) continue;
    for (const auto* option : owner->get_options()) {
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// The word as it stands for what is to be written.
std::string in_capitals(std::string word) {
  for (char& letter : word) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return word;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  const auto near = nearest(word, views);
  return near.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", near);
}

const CLI::App* find_command(const CLI::App& app, std::string_view name) {
  const auto commands = app.get_subcommands({});
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&](const auto* command) { return command->get_name() == name; });
  return found == commands.end() ? nullptr : *found;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// The command line, read as far as it makes sense.
class Reading {
 public:
  Reading(const CLI::App& app, std::span<const std::string> words) : app_(app), words_(words) {}

  std::optional<std::string> mistake() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const std::string& word = words_[i];
      if (word == "--") {
        for (++i; i < words_.size(); ++i) arguments_.push_back(words_[i]);
        break;
      }
      if (is_option(word)) {
        auto wrong = option(word, i);
        if (!wrong_) wrong_ = std::move(wrong);
      } else if (command_ == nullptr) {
        command_ = find_command(app_, word);
        if (command_ == nullptr)
          // The word may be the value of an option that stands where it is not known.
          return wrong_
                     ? wrong_
                     : fmt::format("unknown command \"{}\"{}", word, did_you_mean(word, command_names(app_)));
      } else {
        arguments_.push_back(word);
      }
    }
    if (help_) return std::nullopt;
    if (wrong_) return wrong_;
    if (command_ == nullptr) return fmt::format("name a command: {}", fmt::join(command_names(app_), ", "));
    return arguments();
  }

  std::string command() const { return command_ == nullptr ? std::string() : command_->get_name(); }

 private:
  // `at` moves on over the option's value.
  std::optional<std::string> option(const std::string& word, std::size_t& at) {
    const auto name = name_of(word);
    if (name == "--help" || name == "-h" || name == "--version") help_ = true;
    const auto* known = find_option(command_, name);
    if (known == nullptr) known = find_option(&app_, name);
    if (known == nullptr) return unknown(name);
    if (!takes_value(*known) || name.size() < word.size()) return std::nullopt;
    const bool missing =
        at + 1 == words_.size() ||
        (is_option(words_[at + 1]) && (find_option(&app_, name_of(words_[at + 1])) != nullptr ||
                                       find_option(command_, name_of(words_[at + 1])) != nullptr));
    if (missing) return fmt::format("{} needs a value: {} {}", name, name, known->get_type_name());
    ++at;
    return std::nullopt;
  }

  std::string unknown(std::string_view name) const {
    if (command_ == nullptr) {
      // A command's own option that stands before the command.
      for (const auto* command : app_.get_subcommands({})) {
        if (find_option(command, name) != nullptr)
          return fmt::format("\"{0}\" is an option of \"{1}\": write it after the command, sluice {1} {0}",
                             name, command->get_name());
      }
    }
    return fmt::format("unknown option \"{}\"{}", name, did_you_mean(name, option_names(app_, command_)));
  }

  // Too many or too few of what has no dashes.
  std::optional<std::string> arguments() const {
    std::size_t taken = 0;
    for (const auto* option : command_->get_options()) {
      if (!option->get_positional()) continue;
      if (option->get_required() && taken >= arguments_.size())
        return fmt::format("{0}: \"{1}\" is missing ({2}): sluice {0} {3}", command_->get_name(),
                           option->get_name(), option->get_description(), in_capitals(option->get_name()));
      taken += static_cast<std::size_t>(option->get_items_expected_max());
    }
    if (arguments_.size() <= taken) return std::nullopt;
    return fmt::format("{} takes {}: \"{}\" is one too many", command_->get_name(),
                       taken == 0   ? std::string("no argument")
                       : taken == 1 ? std::string("one argument")
                                    : fmt::format("{} arguments", taken),
                       arguments_[taken]);
  }

  const CLI::App& app_;
  std::span<const std::string> words_;
  const CLI::App* command_ = nullptr;
  bool help_ = false;
  std::optional<std::string> wrong_;  // the first wrong option
  std::vector<std::string> arguments_;
};

}  // namespace

std::optional<Mistake> find_mistake(const CLI::App& app, std::span<const std::string> words) {
  Reading reading(app, words);
  auto message = reading.mistake();
  if (!message) return std::nullopt;
  return Mistake{std::move(*message), reading.command()};
}

std::vector<std::string> with_help_option(std::vector<std::string> words) {
  if (words.size() == 1 && words.front() == "version") return {"--version"};
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

bool wants_json(std::span<const std::string> words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  return std::find(words.begin(), end, "--json") != end;
}

CLI::Validator not_empty() {
  return {[](std::string& text) {
            return text.empty() ? std::string("an empty text is no value") : std::string();
          },
          std::string()};
}

CLI::Validator whole_number(long long least, long long most) {
  return {[least, most](std::string& text) {
            long long value = 0;
            const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
            if (code == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
              return std::string();
            return fmt::format("\"{}\" is not a whole number from {} to {}", text, least, most);
          },
          std::string()};
}

}  // namespace sluice::app
