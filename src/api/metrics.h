// The Prometheus text of /metrics.
#pragma once

#include "api/backend.h"

#include <string>
#include <string_view>

namespace sluice::api {

std::string metrics_text(const MetricsSnapshot& snapshot, std::string_view version);

}  // namespace sluice::api
