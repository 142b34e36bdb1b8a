// A kept reject as the API and the commands show it.
#pragma once

#include "api/live_json.h"
#include "history/query.h"

#include <cstddef>

namespace sluice::api {

// At most so many bytes of the record are shown; the whole is in the target's _sluice_reject.
inline constexpr std::size_t kRawShown = 2000;

// REJECT of backend.h. The record is valid UTF-8 with control characters as they came: whoever prints it
// escapes it.
Json reject_json(const history::KeptReject& reject);

}  // namespace sluice::api
