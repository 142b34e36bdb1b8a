// JSON of the shapes that several answers share (backend.h), made from the engine's and the catalog's values.
#pragma once

#include "api/live_progress.h"
#include "base/clock.h"
#include "definition/catalog.h"
#include "jobs/job.h"
#include "jobs/store.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace sluice::api {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json);
Json time_or_null(const std::optional<Timestamp>& time);
Json text_or_null(const std::string& text);

// JOB. `progress` is what the job says in this process; without it the store's word counts.
Json job_json(const jobs::Job& job, Timestamp now, const std::optional<ProgressNow>& progress = {});
Json log_json(const jobs::LogLine& line);                     // an item of a job's log
Json receipt_of(const jobs::Job& job);                        // RECEIPT or null
Json error_json(const std::optional<jobs::JobError>& error);  // ERROR or null
Json schedule_json(const definition::LoaderDefinition& loader);
Json schedule_json(const definition::TaskDefinition& task);  // SCHEDULE
Json batch_json(const jobs::Batch& batch);                   // BATCH
// parent, follows, children, batch and members of a JOB.
Result<void> add_relatives(Json& json, const jobs::Job& job, jobs::Store& store);
Json node_json(const jobs::Node& node, const std::string& self, Timestamp now);  // NODE

}  // namespace sluice::api
