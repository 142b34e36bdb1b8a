// JSON of the shapes that several answers share (backend.h), made from the engine's and the catalog's values.
#pragma once

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

Json job_json(const jobs::Job& job, Timestamp now);                              // JOB
Json receipt_of(const jobs::Job& job);                                           // RECEIPT or null
Json error_json(const std::optional<jobs::JobError>& error);                     // ERROR or null
Json schedule_json(const definition::LoaderDefinition& loader);                  // SCHEDULE
Json node_json(const jobs::Node& node, const std::string& self, Timestamp now);  // NODE

// A count in a job's receipt; 0 where there is none.
std::int64_t receipt_count(const Json& receipt, const char* key);

}  // namespace sluice::api
