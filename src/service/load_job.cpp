#include "service/load_job.h"

#include "definition/source_file.h"
#include "load/plan.h"
#include "load/undo.h"
#include "model/receipt.h"
#include "service/table_owners.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <optional>

namespace sluice::service {
namespace {

constexpr std::size_t kPlanSamples = 50;

// Passes what a run says on to the job's progress and log.
class JobObserver final : public load::Observer {
 public:
  explicit JobObserver(jobs::JobContext& context) : context_(context) {}
  void progress(const Progress& progress) override {
    context_.progress({.phase = std::string(to_string(progress.phase)),
                       .rows = progress.rows,
                       .total_rows = progress.total_rows,
                       .bytes = progress.bytes,
                       .total_bytes = progress.total_bytes});
  }
  void log(Level level, std::string_view text) override {
    const auto to = level == Level::error     ? jobs::LogLevel::error
                    : level == Level::warning ? jobs::LogLevel::warning
                                              : jobs::LogLevel::info;
    context_.log(to, text);
  }

 private:
  jobs::JobContext& context_;
};

// The loader a job is about, pinned with its catalog for the length of the run.
struct Pinned {
  DefinitionsPtr definitions;
  const definition::LoaderDefinition* loader;
  std::string database;
};

std::string database_mark(const std::string& database) {
  return definition::hash_text(database).substr(0, 16);
}

Result<Pinned> pin(const LoadSetting& setting, const jobs::Job& job) {
  auto definitions = setting.keeper.current();
  const auto* loader = definitions->catalog->find(job.subject);
  if (loader == nullptr) {
    return fail(ErrorCode::not_found, fmt::format("there is no loader \"{}\" any more", job.subject));
  }
  SLUICE_TRY(auto database, setting.databases.url_for(loader->spec, definitions->catalog->service));
  SLUICE_CHECK(check_database(job, database));
  return Pinned{std::move(definitions), loader, std::move(database)};
}

load::Request request_for(const LoadSetting& setting, const Pinned& pinned, const jobs::Job& job,
                          int attempt) {
  return {.loader = pinned.loader->spec,
          .database = pinned.database,
          .job = job.id,
          .created_at = job.created_at,
          .store = setting.store,
          .attempt = attempt,
          .catalog_hash = pinned.definitions->catalog->hash,
          .definition_hash = pinned.loader->resolved_hash,
          .owner = [&setting, &pinned](std::string_view owner) {
            return claim_of(*setting.keeper.current(), setting.databases, pinned.loader->spec, owner);
          }};
}

nlohmann::json args_of(const std::string& loader, const std::string& database) {
  nlohmann::json args = {{"loader", loader}};
  if (!database.empty()) args["database"] = database_mark(database);
  return args;
}

std::string dump(const nlohmann::json& args) {
  return args.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The run that an undo is about; none when the arguments are not ours.
std::optional<JobId> undone_job(const nlohmann::json& args) {
  const std::string word = args.is_object() ? args.value("job", "") : std::string();
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (code != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return JobId(number);
}

}  // namespace

std::string named_args(std::string_view key, const std::string& name, const std::string& database) {
  nlohmann::json args = {{std::string(key), name}};
  if (!database.empty()) args["database"] = database_mark(database);
  return dump(args);
}

std::string load_args(const std::string& loader, const std::string& database) {
  return dump(args_of(loader, database));
}

std::string undo_args(const std::string& loader, const std::string& database, JobId of, bool keep_running) {
  auto args = args_of(loader, database);
  args["job"] = std::to_string(of.value());
  args["keepRunning"] = keep_running;
  return dump(args);
}

Result<void> check_database(const jobs::Job& job, const std::string& database) {
  const auto args = nlohmann::json::parse(job.args, nullptr, false);
  if (!args.is_object() || !args.contains("database") || args["database"] == database_mark(database))
    return {};
  return fail(ErrorCode::conflict,
              "the command that started this run wrote to another database and is gone; run it again");
}

jobs::Handler load_handler(LoadSetting setting) {
  return [setting](jobs::JobContext& context, std::stop_token stop) -> Result<jobs::JobOutcome> {
    SLUICE_TRY(const auto pinned, pin(setting, context.job()));
    JobObserver observer(context);
    auto receipt = load::run(request_for(setting, pinned, context.job(), context.attempt()),
                             setting.environment, observer, stop);
    context.set_result(to_json(receipt));
    if (receipt.error) return std::unexpected(std::move(*receipt.error));
    return jobs::JobOutcome{.amount =
                                receipt.inserted + receipt.updated + receipt.deleted + receipt.restored};
  };
}

jobs::Handler plan_handler(LoadSetting setting) {
  return [setting](jobs::JobContext& context, std::stop_token stop) -> Result<jobs::JobOutcome> {
    SLUICE_TRY(const auto pinned, pin(setting, context.job()));
    JobObserver observer(context);
    auto plan = load::plan(request_for(setting, pinned, context.job(), context.attempt()),
                           setting.environment, observer, kPlanSamples, stop);
    context.set_result(load::to_json(plan));
    // A breached guard is what a plan is there to tell: the plan itself succeeded.
    if (plan.receipt.error && plan.receipt.error->code != ErrorCode::guard) {
      return std::unexpected(std::move(*plan.receipt.error));
    }
    return jobs::JobOutcome{};
  };
}

jobs::Handler undo_handler(LoadSetting setting, PauseLoader pause) {
  return [setting, pause = std::move(pause)](jobs::JobContext& context,
                                             std::stop_token stop) -> Result<jobs::JobOutcome> {
    const auto& job = context.job();
    const auto args = nlohmann::json::parse(job.args, nullptr, false);
    const auto of = undone_job(args);
    if (!of) return fail(ErrorCode::invalid_argument, "the arguments do not name a job to take back");
    SLUICE_TRY(const auto pinned, pin(setting, job));
    JobObserver observer(context);
    auto receipt = load::undo(request_for(setting, pinned, job, context.attempt()), *of, setting.environment,
                              observer, stop);
    context.set_result(to_json(receipt));
    if (receipt.error) return std::unexpected(std::move(*receipt.error));
    // Still under the loader's key: no run of it can come between.
    if (!args.value("keepRunning", false)) {
      SLUICE_CHECK(pause(job.subject,
                         fmt::format("job {} was taken back: look at the source, then resume", of->value())));
    }
    return jobs::JobOutcome{.amount =
                                receipt.inserted + receipt.updated + receipt.deleted + receipt.restored};
  };
}

}  // namespace sluice::service
