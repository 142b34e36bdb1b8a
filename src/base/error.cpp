#include "base/error.h"

namespace sluice {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalidArgument";
    case ErrorCode::invalid_definition:
      return "invalidDefinition";
    case ErrorCode::not_found:
      return "notFound";
    case ErrorCode::already_exists:
      return "alreadyExists";
    case ErrorCode::unreachable:
      return "unreachable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::unauthorized:
      return "unauthorized";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::rate_limited:
      return "rateLimited";
    case ErrorCode::truncated:
      return "truncated";
    case ErrorCode::malformed:
      return "malformed";
    case ErrorCode::too_large:
      return "tooLarge";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::locked:
      return "locked";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::guard:
      return "guard";
    case ErrorCode::io:
      return "io";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

int exit_code_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::invalid_definition:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::forbidden:
    case ErrorCode::unsupported:
      return 2;
    case ErrorCode::unreachable:
    case ErrorCode::timeout:
    case ErrorCode::unauthorized:
    case ErrorCode::locked:
    case ErrorCode::io:
      return 3;
    case ErrorCode::guard:
      return 4;
    case ErrorCode::rate_limited:
    case ErrorCode::truncated:
    case ErrorCode::malformed:
    case ErrorCode::too_large:
    case ErrorCode::conflict:
    case ErrorCode::cancelled:
    case ErrorCode::internal:
      return 1;
  }
  return 1;
}

std::string Error::describe() const { return where.empty() ? message : where + ": " + message; }

}  // namespace sluice
