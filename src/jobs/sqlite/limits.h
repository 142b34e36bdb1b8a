// Keys that limit how many jobs run, on SQLite. A job that has to wait for its key is put aside, out of the
// index that claims read; whoever frees the key lets the next one back.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "jobs/job.h"
#include "jobs/store/database.h"

#include <optional>
#include <string_view>

namespace sluice::jobs {

// Whether the queue is paused or limited; without a name, whether any is.
Result<bool> queue_is_held_back(Database& database, std::string_view queue);

// Why a job is put aside; the store holds the numbers.
enum class BlockedBy { nothing = 0, exclusive_key = 1, limit_key = 2 };

Result<void> save_rule(Database& database, std::string_view key, const KeyLimit& limit);
// How many more jobs of the key may start now; a large number where there is no rule.
Result<int> room_of_limit(Database& database, std::string_view key, Timestamp now);
// Notes a start, where starts are limited.
Result<void> note_start(Database& database, std::string_view key, JobId job, Timestamp now);

// It was given back before its work was done: the start does not count.
Result<void> forget_start(Database& database, std::string_view key, JobId job, std::optional<Timestamp> at);

Result<void> put_aside(Database& database, JobId job, BlockedBy by);
// A new job that comes after others of its key need not be looked at by claims.
Result<void> put_aside_if_blocked(Database& database, JobId id, const NewJob& job, Timestamp now);
// Lets jobs of the key be claimed again, as far as it has room for them. Return how many. An empty key has
// none.
Result<int> release_key(Database& database, std::string_view exclusive_key);
// `one_more`: than there is room for beside those that are offered, as these may be for nobody here.
Result<int> release_limit(Database& database, std::string_view limit_key, Timestamp now,
                          bool one_more = false);
// The same for the keys whose window has moved on.
Result<int> release_due(Database& database, Timestamp now);

}  // namespace sluice::jobs
