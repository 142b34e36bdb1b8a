// Which network addresses may be reached. Link-local addresses and the metadata services of clouds hand out
// credentials to whoever asks from inside; a definition must not be able to ask.
#pragma once

#include "base/error.h"
#include "fetch/fetch.h"

#include <string_view>

struct sockaddr;

namespace sluice::fetch {

// By the name in the URL: known metadata names, and literal addresses (also when a proxy would connect).
// Error forbidden, naming --allow-address.
Result<void> check_host(std::string_view host, const Policy& policy);

// By the address about to be connected to, after resolution: a name that points at a refused address, in DNS
// or after a redirect, gains nothing. `host` is the URL's, since a name may be allowed too.
bool address_allowed(const sockaddr* address, std::string_view host, const Policy& policy);

}  // namespace sluice::fetch
