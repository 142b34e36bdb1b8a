// Prints what a phrase means and its next five runs: next_runs "every weekday at 7:15am Europe/Zurich"
#include <english_cron/schedule.h>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  const std::string phrase = argc > 1 ? argv[1] : "every weekday at 7:15am Europe/Zurich";
  const auto translation = english_cron::translate(phrase);
  if (!translation) {
    const auto& error = translation.error();
    std::cerr << phrase << '\n' << std::string(error.offset, ' ') << "^ " << error.message << '\n';
    if (!error.suggestion.empty()) std::cerr << "did you mean \"" << error.suggestion << "\"?\n";
    return 2;
  }
  std::cout << "means " << translation->english << '\n';
  for (const std::string& cron : translation->crons) std::cout << "cron  " << cron << '\n';
  for (const std::string& warning : translation->warnings) std::cout << "note  " << warning << '\n';

  const auto schedule = english_cron::Schedule::compile(*translation);
  if (!schedule) return 2;
  auto next = schedule->next(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
  for (int i = 0; i < 5 && next; ++i, next = schedule->next(*next))
    std::cout << "next  " << english_cron::format_local(*next, translation->zone) << '\n';
  return 0;
}
