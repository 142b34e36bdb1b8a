// What a task said, and the setting to run one in.
#pragma once

#include "task/run.h"

#include <nlohmann/json.hpp>

#include <stop_token>
#include <string>
#include <vector>

namespace sluice::task::test {

struct LogBook {
  std::vector<std::string> lines;
  Log log() {
    return [this](Level level, std::string_view line) {
      constexpr std::string_view kMarks[] = {"", "warning: ", "error: "};
      lines.push_back(std::string(kMarks[static_cast<int>(level)]) + std::string(line));
    };
  }
  std::string text() const {
    std::string all;
    for (const auto& line : lines) all += line + '\n';
    return all;
  }
};

struct Setting {
  SystemClock clock;
  Environment environment{.clock = clock, .policy = {}, .user_agent = "sluice/test", .connections = {}};
  LogBook book;
  std::string database;

  Outcome run(TaskSpec::Work work, std::stop_token stop = {}, std::vector<Secret> secrets = {}) {
    TaskSpec spec;
    spec.name = "Night";
    spec.work = std::move(work);
    spec.secrets = std::move(secrets);
    return task::run({.task = spec,
                      .database = database,
                      .job = 17,
                      .attempt = 2,
                      .lock_timeout = std::chrono::milliseconds(50)},
                     environment, book.log(), std::move(stop));
  }
};

inline nlohmann::json result_of(const Outcome& outcome) { return nlohmann::json::parse(outcome.result); }

}  // namespace sluice::task::test
