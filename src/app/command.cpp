#include "app/command.h"

#include "base/text.h"

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
  // What a source, a path or a server said may be part of it: nothing of that commands a terminal.
  const auto text = error.describe();
  err("sluice: error: {}\n", printable(text, text.size() + 1));
  return exit_code_for(error.code);
}

int report(ErrorCode code, std::string message, const GlobalOptions& options) {
  return report({.code = code, .where = {}, .message = std::move(message), .retry_after = {}}, options);
}

}  // namespace sluice::app
