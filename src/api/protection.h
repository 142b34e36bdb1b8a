// What keeps foreign web pages and foreign machines out (DESIGN, section 3, "Safe from the first page on").
#pragma once

#include "api/request.h"
#include "base/error.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::api {

// Without accounts only loopback may be listened on; the error says what to do instead. `serve` ends with
// exit 2 on it. Takes an IP literal (IPv6 with or without brackets) or "localhost".
Result<void> check_listen_address(std::string_view host);

// "LOCALHOST:8080" -> "localhost", "[::1]:80" -> "::1"; empty when it is not HOST or HOST:PORT.
std::string host_name_of(std::string_view host_and_port);

// The refusal of a request whose Host is not ours (a name that was rebound to our address), or nothing.
// Loopback names and literals, the listen address and allowed_hosts pass, with any port: tunnels change it.
std::optional<Response> check_host(const Request& request, std::string_view listen_host,
                                   const std::vector<std::string>& allowed_hosts);

// The refusal of a changing request that a foreign page may have caused, or nothing: the content type must be
// application/json, Sec-Fetch-Site same-origin or none; without it Origin must be ours or absent.
std::optional<Response> check_origin(const Request& request);

// Adds what every answer carries: the content security policy and its companions. Also no-store, unless the
// response has a Cache-Control already.
void add_protective_headers(Response& response);

}  // namespace sluice::api
