// http and https URLs, split and resolved by libcurl's own parser: what is checked is what is asked.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::fetch {

struct Url {
  std::string text;    // normalised; without user, password and fragment
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, as DNS knows it (xn--…), IPv6 in brackets
  std::string port;    // always stated
  std::string user;    // decoded; from https://user:password@host/
  std::string password;
};

// Error invalid_definition for anything that is not a complete http or https URL.
Result<Url> parse_url(std::string_view text);
// A Location header against the URL that sent it. Error malformed.
Result<Url> resolve_url(const Url& base, std::string_view location);

// May what was meant for `from` be sent to `to`? The same scheme, host and port, or the same host moved from
// http to https on the default ports.
bool same_origin(const Url& from, const Url& to);

// Adds NAME=VALUE, encoded, to the query.
std::string with_query(const std::string& url, std::string_view name, std::string_view value);
// The decoded and the raw values of the query, for masking.
std::vector<std::string> query_values(std::string_view url);

}  // namespace sluice::fetch
