// One HTTP(S) URL as a source: conditional request, redirects, retries, spooled body.
#pragma once

#include "fetch/fetch.h"

namespace sluice::fetch {

// As fetch(), for sources of kind http.
Result<Fetched> fetch_http(const SourceSpec& source, const std::vector<Validators>& previous,
                           Context& context, std::stop_token stop);

}  // namespace sluice::fetch
