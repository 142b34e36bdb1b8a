// Settings of queues, within a transaction; the same words on both databases.
#pragma once

#include "jobs/store/database.h"

#include <optional>
#include <string_view>

namespace sluice::jobs {

// QueueStore::pause(), resume() and set_max_running(), their arguments checked.
Result<void> pause_queue(Database& database, std::string_view queue, std::string_view by,
                         std::string_view reason, Timestamp now);
Result<void> resume_queue(Database& database, std::string_view queue, Timestamp now);
Result<void> limit_queue(Database& database, std::string_view queue, std::optional<int> most, Timestamp now);

}  // namespace sluice::jobs
