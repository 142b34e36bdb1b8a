// Local files as a source: found, checked, opened, pinned and compared with the last run.
#pragma once

#include "fetch/fetch.h"

namespace sluice::fetch {

// As fetch(), for sources of kind file.
Result<Fetched> fetch_files(const SourceSpec& source, const std::vector<Validators>& previous,
                            Context& context, std::stop_token stop);

}  // namespace sluice::fetch
