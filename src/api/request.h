// What the routes see of HTTP: a parsed request in, a response out. No sockets, no library types, so routes
// are tested as plain functions.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::api {

using Fields = std::vector<std::pair<std::string, std::string>>;

// A request target, taken apart. Segments are percent-decoded one by one after splitting, so an encoded slash
// stays inside its segment. Never used as a file name.
struct Target {
  std::string authority;              // of an absolute-form target ("http://host:port/…"), else empty
  std::string path;                   // as sent, without the query
  std::vector<std::string> segments;  // "/api/v1/jobs/" -> {"api", "v1", "jobs"}
  Fields query;                       // decoded, in order; '+' is a space

  const std::string* parameter(std::string_view name) const;  // the first one, or null
};

// Refused (invalid_argument): a target that does not start with '/', bad percent encoding, control
// characters, invalid UTF-8 after decoding, "." or ".." segments, more than 64 parameters or 32 segments.
Result<Target> parse_target(std::string_view text);

// "a b/c" -> "a%20b%2Fc"
std::string percent_encode(std::string_view text);

struct Request {
  std::string method = "GET";
  Target target;
  Fields headers;  // names in lower case
  std::string body;
  std::string peer;  // the client's address, without the port

  const std::string* header(std::string_view name) const;  // the first one, or null
  int header_count(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Fields headers;
  bool event_stream = false;  // the server goes on with an endless event stream instead of a body

  const std::string* header(std::string_view name) const;
};

// The status that an error is answered with.
int status_for(ErrorCode code);
std::string_view reason_for(int status);

Response json_response(std::string body, int status = 200);
// {"error":{"code":"notFound","message":"…"}} (to_string(ErrorCode), or an HTTP matter's own word).
Response error_response(int status, std::string_view code, std::string_view message);
Response error_response(const Error& error);

}  // namespace sluice::api
