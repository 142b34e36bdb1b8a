#include "app/job_target.h"

#include "app/loaders.h"
#include "history/run_key.h"
#include "service/job_store.h"
#include "service/service.h"

#include <fmt/format.h>

#include <charconv>

namespace sluice::app {

Result<std::unique_ptr<jobs::Store>> open_jobs(const GlobalOptions& globals) {
  SLUICE_TRY(const bool there, service::job_store_exists(globals.database, globals.data));
  if (!there) return std::unique_ptr<jobs::Store>();
  return service::open_job_store(globals.database, globals.data);
}

Result<jobs::Job> find_job(jobs::Store* store, JobId id, const GlobalOptions& globals) {
  std::optional<jobs::Job> found;
  if (store != nullptr) {
    SLUICE_TRY(found, store->queries().get(id));
  }
  if (!found) {
    const auto definitions = read_definitions(globals);
    const auto word = std::to_string(id.value());
    const bool named_so = definitions && (*definitions)->catalog->find(word) != nullptr;
    return fail(
        ErrorCode::not_found,
        fmt::format("there is no job {} in {}{}", word,
                    service::describe_job_store(globals.database, globals.data),
                    named_so ? "; sluice show and sluice rejects take --loader for a loader's name" : ""));
  }
  return std::move(*found);
}

std::optional<JobId> job_number(const std::string& word) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (code != std::errc() || end != word.data() + word.size() || number <= 0) return std::nullopt;
  return JobId(number);
}

Result<std::string> database_of(const std::string& loader, const GlobalOptions& globals) {
  const service::Databases databases(globals.database, globals.data);
  const auto definitions = read_definitions(globals);
  if (!definitions) return databases.url_for(LoaderSpec{}, ServiceSpec{});
  // Which database it names is then unknown; another one would be looked into, and found empty.
  if (globals.database.empty() && !service_problems(**definitions).empty())
    return std::unexpected(why_not(**definitions, loader).error);
  const auto* found = (*definitions)->catalog->find(loader);
  return databases.url_for(found != nullptr ? found->spec : LoaderSpec{}, (*definitions)->catalog->service);
}

Result<std::optional<JobTarget>> open_job_target(jobs::Store& store, const jobs::Job& job,
                                                 const GlobalOptions& globals) {
  SLUICE_TRY(const auto url, database_of(job.subject, globals));
  const service::Databases databases(globals.database, globals.data);
  SLUICE_TRY(auto connection, databases.open_for_reading(url));
  if (!connection) return std::nullopt;
  SLUICE_TRY(const auto run, history::find_run_key(*connection, store.identity(), job.id));
  if (!run) return std::nullopt;
  return JobTarget{std::move(connection), *run};
}

}  // namespace sluice::app
