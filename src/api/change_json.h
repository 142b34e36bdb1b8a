// One entry of the change log as JSON: the shape of GET jobs/{id}/changes and of `sluice changes --json`.
#pragma once

#include "api/live_json.h"
#include "history/query.h"

namespace sluice::api {

// {"op","key":[{"name","value"}],"columns":[{"name","before","after"}]}; a side that is not there is null.
Json change_json(const history::LoggedEntry& change);

}  // namespace sluice::api
