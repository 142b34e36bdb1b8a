// Private to task: the three kinds of work. Messages and lines are not masked yet; run() does that.
#pragma once

#include "fetch/secret_mask.h"
#include "task/run.h"

namespace sluice::task {

Outcome run_sql(const SqlTask& sql, const Request& request, const Log& log, std::stop_token stop);
Outcome run_http(const HttpTask& http, const Environment& environment, const Log& log, std::stop_token stop);
Outcome run_command(const CommandTask& command, const Request& request, const fetch::SecretMask& mask,
                    const Log& log, std::stop_token stop);

}  // namespace sluice::task
