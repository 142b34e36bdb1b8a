// sluice cron: what a phrase means.
#include "app/arguments.h"
#include "app/command.h"
#include "base/clock.h"
#include "base/text.h"
#include "english_cron/translation.h"
#include "service/schedule_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace sluice::app {
namespace {

struct CronOptions {
  std::vector<std::string> phrases;
  std::string zone = "UTC";
  std::string from;
  int count = 5;
  bool inclusive = false;
  bool from_stdin = false;
};

bool understood(const std::string& phrase, const std::string& zone) {
  return english_cron::translate(phrase, {.zone = zone, .anchor = {}}).has_value();
}

// Each argument is a phrase. Only when they are bare words that make sense together and not apart are they
// one phrase whose quotes were forgotten: sluice cron every day at 2am
std::vector<std::string> phrases_of(const CronOptions& options) {
  const auto& words = options.phrases;
  const bool bare = std::none_of(words.begin(), words.end(),
                                 [](const auto& w) { return w.find(' ') != std::string::npos; });
  const bool each =
      std::all_of(words.begin(), words.end(), [&](const auto& w) { return understood(w, options.zone); });
  if (words.size() < 2 || !bare || each) return words;
  return {fmt::format("{}", fmt::join(words, " "))};
}

std::string unescape_tabs(std::string_view text) {
  std::string result(text);
  for (std::size_t at = 0; (at = result.find("\\t", at)) != std::string::npos; ++at)
    result.replace(at, 2, "\t");
  return result;
}

// Prints one answer; false when the phrase was refused.
bool print_answer(const service::ScheduleQuestion& question, const GlobalOptions& globals) {
  const auto answer = service::answer(question);
  if (globals.json) {
    out("{}\n", answer.json);
  } else if (answer.ok) {
    write_out(answer.text);
  } else {
    write_err(answer.text);
  }
  return answer.ok;
}

Result<service::ScheduleQuestion> question_for(std::string phrase, std::string_view zone,
                                               std::string_view from, const CronOptions& options) {
  service::ScheduleQuestion question{
      .phrase = std::move(phrase),
      .zone = std::string(zone.empty() ? std::string_view(options.zone) : zone),
      .from = SystemClock().now(),
      .count = options.count,
      .inclusive = options.inclusive};
  if (!english_cron::is_known_zone(question.zone)) {
    return fail(ErrorCode::invalid_argument, fmt::format("unknown time zone \"{}\"", question.zone));
  }
  const std::string_view wanted = from.empty() ? std::string_view(options.from) : from;
  if (!wanted.empty()) {
    SLUICE_TRY(question.from, service::parse_time(wanted, question.zone));
  }
  return question;
}

// A line whose zone or start cannot be read is refused as a phrase would be: a reader of --stdin counts on
// one answer per line.
void print_refusal(const std::string& phrase, const Error& error, const GlobalOptions& globals) {
  if (!globals.json) {
    err("{}\n  {}\n", phrase, error.message);
    return;
  }
  nlohmann::ordered_json json;
  json["phrase"] = phrase;
  json["ok"] = false;
  json["error"] = {{"offset", 0}, {"length", 0}, {"message", error.message}, {"suggestion", nullptr}};
  out("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

int run_cron(const CronOptions& options, const GlobalOptions& globals) {
  bool all_understood = true;
  const auto ask = [&](std::string phrase, std::string_view zone, std::string_view from) -> Result<void> {
    SLUICE_TRY(const auto question, question_for(std::move(phrase), zone, from, options));
    all_understood = print_answer(question, globals) && all_understood;
    return {};
  };
  if (options.from_stdin) {
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
      if (line.ends_with('\r')) line.pop_back();
      auto fields = split(line, '\t');
      fields.resize(std::max<std::size_t>(fields.size(), 3));
      const auto phrase = unescape_tabs(fields[0]);
      if (auto asked = ask(phrase, fields[1], fields[2]); !asked) {
        print_refusal(phrase, asked.error(), globals);
        all_understood = false;
      }
      std::fflush(stdout);  // who asks line by line waits for each answer
    }
    if (std::cin.bad()) return report(ErrorCode::io, "cannot read standard input", globals);
  } else {
    for (const auto& phrase : phrases_of(options)) {
      if (auto asked = ask(phrase, {}, {}); !asked) return report(asked.error(), globals);
    }
  }
  return all_understood ? 0 : 2;
}

}  // namespace

void add_cron(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<CronOptions>();
  auto* command = app.add_subcommand("cron", "What a phrase means: cron, zone, back in English, next times");
  command
      ->add_option("phrase", options->phrases,
                   "English phrase or cron expression; each argument is one phrase")
      ->type_name("")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--zone", options->zone, "IANA time zone when the phrase names none")
      ->type_name("ZONE")
      ->capture_default_str();
  command->add_option("--from", options->from, "Start of the search instead of now: 2026-01-05T09:30:00Z")
      ->type_name("TIME");
  command->add_option("--count", options->count, "Next times to print, at most 1000")
      ->type_name("N")
      ->capture_default_str()
      ->check(whole_number(0, 1000));
  command->add_flag("--inclusive", options->inclusive, "A time equal to --from counts");
  command->add_flag("--stdin", options->from_stdin,
                    "Read lines of PHRASE[<TAB>ZONE[<TAB>FROM]]; a tab in a phrase is \\t");
  command->footer(
      "Examples:\n  sluice cron \"every weekday at 7:15am\" --zone Europe/Zurich\n"
      "  sluice cron \"*/5 * * * *\" --count 3 --json");
  command->callback([options, &globals, &action] {
    action = [options, &globals] {
      if (!options->from_stdin && options->phrases.empty())
        return report(ErrorCode::invalid_argument, "give a phrase, or --stdin", globals);
      return run_cron(*options, globals);
    };
  });
}

}  // namespace sluice::app
