#include "api/request.h"

#include <nlohmann/json.hpp>

namespace sluice::api {
int status_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 400;
    case ErrorCode::invalid_definition:
      return 422;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::already_exists:
      return 409;
    case ErrorCode::unreachable:
      return 503;
    case ErrorCode::timeout:
      return 504;
    case ErrorCode::unauthorized:
      return 401;
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::rate_limited:
      return 429;
    case ErrorCode::truncated:
      return 502;
    case ErrorCode::malformed:
      return 502;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::locked:
      return 503;
    case ErrorCode::cancelled:
      return 503;
    case ErrorCode::guard:
      return 409;
    case ErrorCode::io:
      return 500;
    case ErrorCode::unsupported:
      return 501;
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

std::string_view reason_for(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

Response json_response(std::string body, int status) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response error_response(int status, std::string_view code, std::string_view message) {
  const nlohmann::json body = {{"error", {{"code", code}, {"message", message}}}};
  return json_response(body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), status);
}

Response error_response(const Error& error) {
  return error_response(status_for(error.code), to_string(error.code), error.describe());
}

}  // namespace sluice::api
