#include "app/command.h"

#include <nlohmann/json.hpp>

namespace sluice::app {

int report(const Error& error, const GlobalOptions& options) {
  if (options.json) {
    nlohmann::ordered_json json;
    json["error"] = {{"code", std::string(to_string(error.code))},
                     {"where", error.where},
                     {"message", error.message},
                     {"retryable", error.retryable}};
    out("{}\n", json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  err("sluice: error: {}\n", error.describe());
  return exit_code_for(error.code);
}

int report(ErrorCode code, std::string message, const GlobalOptions& options) {
  return report({.code = code, .where = {}, .message = std::move(message), .retry_after = {}}, options);
}

}  // namespace sluice::app
