#include "api/live_json.h"

#include "api/process_memory.h"
#include "service/loader_schedule.h"

#include <nlohmann/json.hpp>

namespace sluice::api {

Json log_json(const jobs::LogLine& line) {
  const auto level =
      line.level == jobs::LogLevel::warning ? std::string("warn") : std::string(jobs::to_string(line.level));
  return {{"at", format_utc(line.at)}, {"level", level}, {"attempt", line.attempt}, {"message", line.text}};
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json time_or_null(const std::optional<Timestamp>& time) {
  return time ? Json(format_utc(*time)) : Json(nullptr);
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json error_json(const std::optional<jobs::JobError>& error) {
  if (!error) return nullptr;
  return {{"code", error->code}, {"where", ""}, {"message", error->message}, {"retryable", false}};
}

Json receipt_of(const jobs::Job& job) {
  if ((job.kind != service::kLoadKind && job.kind != service::kUndoKind) || job.result.empty())
    return nullptr;
  auto receipt = Json::parse(job.result, nullptr, false);
  return receipt.is_object() ? receipt : Json(nullptr);
}

namespace {

Json progress_json(const ProgressNow& now) {
  const auto& progress = now.progress;
  return {{"phase", progress.phase},
          {"rows", progress.rows},
          {"rowsTotal", progress.total_rows ? Json(*progress.total_rows) : Json(nullptr)},
          {"bytes", progress.bytes},
          {"bytesTotal", progress.total_bytes ? Json(*progress.total_bytes) : Json(nullptr)},
          {"rowsPerSecond", now.rows_per_second},
          {"bytesPerSecond", now.bytes_per_second}};
}

// What the store was told a moment ago, by whatever process runs the job; the rate is that of the whole run.
ProgressNow stored_progress(const jobs::Job& job, Timestamp now) {
  ProgressNow result{.progress = *job.progress};
  const double seconds = job.started_at ? std::chrono::duration<double>(now - *job.started_at).count() : 0;
  if (seconds < 0.1) return result;
  result.rows_per_second = static_cast<std::int64_t>(static_cast<double>(job.progress->rows) / seconds);
  result.bytes_per_second = static_cast<std::int64_t>(static_cast<double>(job.progress->bytes) / seconds);
  return result;
}

}  // namespace

Json job_json(const jobs::Job& job, Timestamp now, const std::optional<ProgressNow>& live) {
  const bool about_loader =
      job.kind == service::kLoadKind || job.kind == service::kPlanKind || job.kind == service::kUndoKind;
  Json progress = nullptr;
  if (job.state == jobs::JobState::processing) {
    if (live) {
      progress = progress_json(*live);
    } else if (job.progress) {
      progress = progress_json(stored_progress(job, now));
    }
  }
  auto receipt = receipt_of(job);
  // The receipt knows where an error arose and whether it passes; the engine keeps code and text only.
  auto error = error_json(job.error);
  if (error.is_object() && receipt.is_object() && receipt.contains("error") && receipt["error"].is_object()) {
    error = receipt["error"];
  }
  return {{"id", std::to_string(job.id.value())},
          {"kind", job.kind},
          {"loader", about_loader ? text_or_null(job.subject) : Json(nullptr)},
          {"name", job.name},
          {"queue", job.queue},
          {"state", std::string(jobs::to_string(job.state))},
          {"fireAt", time_or_null(job.fire_at)},
          {"createdAt", format_utc(job.created_at)},
          {"startedAt", time_or_null(job.started_at)},
          {"finishedAt", time_or_null(job.finished_at)},
          {"durationMs", job.duration_ms ? Json(*job.duration_ms) : Json(nullptr)},
          {"attempt", job.attempt},
          {"maxAttempts", job.max_attempts},
          {"node", text_or_null(job.node)},
          {"progress", std::move(progress)},
          {"receipt", std::move(receipt)},
          {"error", std::move(error)}};
}

namespace {

// Only what another runs after, in words: "after Country and Currency".
std::string after_words(const definition::After& after) {
  return fmt::format("after {}",
                     fmt::join(after.names, after.wait == definition::After::Wait::all ? " and " : " or "));
}

template <class Definition>
Json schedule_of(const Definition& loader) {
  const auto& schedule = loader.schedule;
  Json json;
  const bool manual = loader.spec.schedule.manual;
  json["phrase"] = manual ? Json(nullptr) : Json(loader.spec.schedule.phrase);
  json["crons"] = schedule.crons;
  json["every"] = nullptr;
  if (schedule.every) {
    json["every"] = {{"n", schedule.every->n},
                     {"unit", std::string(english_cron::to_string(schedule.every->unit))},
                     {"anchor", format_utc(schedule.every->anchor)}};
  }
  json["english"] = !manual                      ? schedule.english
                    : loader.after.names.empty() ? "by hand only"
                                                 : after_words(loader.after);
  json["after"] = loader.after.names;
  json["zone"] = schedule.zone.empty() ? loader.spec.schedule.timezone : schedule.zone;
  json["exact"] = schedule.exact;
  json["warnings"] = schedule.warnings;
  return json;
}

}  // namespace

Json schedule_json(const definition::LoaderDefinition& loader) { return schedule_of(loader); }
Json schedule_json(const definition::TaskDefinition& task) { return schedule_of(task); }

Json node_json(const jobs::Node& node, const std::string& self, Timestamp now) {
  const auto memory = resident_bytes(node.pid);
  return {{"id", node.id},
          {"host", node.name},
          {"pid", node.pid},
          {"version", node.version},
          {"startedAt", format_utc(node.started_at)},
          // A node on SQLite is alive exactly while it holds its lock: the list has no others.
          {"lastSeenAt", format_utc(now)},
          {"alive", !node.expired},
          {"self", node.id == self},
          {"workers", node.workers},
          {"busy", node.busy},
          {"clockSkewMs", node.clock_skew ? Json(node.clock_skew->count()) : Json(nullptr)},
          {"kinds", node.kinds ? Json(*node.kinds) : Json(nullptr)},
          {"memoryBytes", memory ? Json(*memory) : Json(nullptr)}};
}

}  // namespace sluice::api
