// What a response that is not data means, in words that say what to do.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "fetch/http_request.h"
#include "fetch/transfer.h"

namespace sluice::fetch {

bool is_redirect(int status);

// `url`: who answered. Retryable where the same request may succeed later; retry_after from the header.
Error status_error(const Response& response, const Url& url, const RequestBuilder& requests, Timestamp now);

// A web page with status 200: unauthorized when it asks for a login, else malformed.
Error web_page_error(bool login, std::string_view start, bool redirected, const SecretMask& mask);

}  // namespace sluice::fetch
