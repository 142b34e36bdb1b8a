// Reads query parameters into typed values. Every error names the parameter and what it may be.
#pragma once

#include "api/backend.h"
#include "api/request.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::api {

// "17" -> JobId; not_found for anything that cannot be an id.
Result<JobId> parse_job_id(std::string_view text);

// `limit` (1 … 500, default 50) and `after`.
Result<PageRequest> parse_page(const Target& target);

// state (repeated or comma-separated), loader, kind, queue, node, retrying, text, from, to, batch.
Result<JobFilter> parse_job_filter(const Target& target);

// text, state.
Result<LoaderFilter> parse_loader_filter(const Target& target);

Result<int> parse_count(const Target& target, std::string_view name, int fallback, int low, int high);

// "2026-01-05", "2026-01-05T09:30Z", "2026-01-05T09:30:00.25+01:00"; without an offset it is UTC.
// "expected": a state; empty when it is not there.
Result<std::string> parse_expected(const Target& target);

Result<Timestamp> parse_time(std::string_view text);
Result<std::optional<Timestamp>> parse_time_parameter(const Target& target, std::string_view name);

// {"items":…,"next":URL|null}: the URL is this request's own with `after` replaced.
std::string list_document(const ListPage& page, const Target& target);

}  // namespace sluice::api
