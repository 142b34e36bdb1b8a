#include "app/command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>

namespace sluice::app {

int report(const Error& error, const GlobalOptions& options) {
  if (options.json) {
    nlohmann::ordered_json json;
    json["error"] = {{"code", std::string(to_string(error.code))},
                     {"where", error.where},
                     {"message", error.message},
                     {"retryable", error.retryable}};
    fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  fmt::print(stderr, "sluice: error: {}\n", error.describe());
  return exit_code_for(error.code);
}

}  // namespace sluice::app
