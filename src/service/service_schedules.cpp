// What a start or a reload makes of the catalog: schedules, and what runs at once.
#include "history/query.h"
#include "service/load_job.h"
#include "service/loader_schedule.h"
#include "service/service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <unordered_set>

namespace sluice::service {
namespace {

// What loaders have done before. Keeps the databases it looked into open: a thousand loaders share one.
class Past {
 public:
  Past(const Databases& databases, const ServiceSpec& service, jobs::JobQueries& queries)
      : databases_(databases), service_(service), queries_(queries) {}

  Result<LoaderPast> of(const LoaderSpec& loader) {
    LoaderPast past;
    past.ever_loaded = ever_loaded(loader);
    if (loader.schedule.run_on_startup != RunOnStartup::if_missed) return past;
    jobs::JobFilter filter;
    filter.subject = loader.name;
    filter.kind = kLoadKind;
    filter.states = {jobs::JobState::succeeded, jobs::JobState::failed, jobs::JobState::held};
    filter.limit = 1;
    SLUICE_TRY(const auto newest, queries_.list(filter));
    if (!newest.empty()) past.last_finished = newest.front().finished_at;
    return past;
  }

 private:
  // A target that cannot be read now is for the run itself to report.
  bool ever_loaded(const LoaderSpec& loader) {
    const auto url = databases_.url_for(loader, service_);
    if (!url) return false;
    auto [entry, is_new] = connections_.try_emplace(*url);
    if (is_new) {
      if (auto opened = databases_.open_for_reading(*url)) entry->second = *std::move(opened);
    }
    if (entry->second == nullptr) return false;
    const auto applied = history::runs(
        *entry->second, {.loader = loader.name, .before = {}, .applied_only = true, .limit = 1});
    return applied && !applied->empty();
  }

  const Databases& databases_;
  const ServiceSpec& service_;
  jobs::JobQueries& queries_;
  std::map<std::string, std::unique_ptr<sql::Connection>> connections_;  // null: there is none to read
};

}  // namespace

Result<void> Service::apply_schedules(const CatalogKeeper::Changed& changed) {
  const auto catalog = definitions()->catalog;
  const auto told = std::exchange(scheduled_, nullptr);  // until this ends well
  std::vector<jobs::RecurringSpec> specs;
  for (const auto& loader : catalog->loaders) {
    auto spec = recurring_spec(loader);
    const auto* before = told ? told->find(loader.spec.name) : nullptr;
    if (before == nullptr || recurring_spec(*before) != spec) specs.push_back(std::move(spec));
  }
  for (const auto& task : catalog->tasks) {
    auto spec = recurring_spec(task);
    const auto* before = told ? told->find_task(task.spec.name) : nullptr;
    if (before == nullptr || recurring_spec(*before) != spec) specs.push_back(std::move(spec));
  }
  SLUICE_CHECK(engine_->upsert_recurring(specs));

  std::set<std::string> gone;
  for (const auto& name : changed.removed) gone.insert(recurring_id(name));
  for (const auto& name : changed.removed_tasks) gone.insert(task_recurring_id(name));
  if (!told) {
    SLUICE_TRY(const auto left, leftovers());
    gone.insert(left.begin(), left.end());
  }
  for (const auto& loader : catalog->loaders) gone.erase(recurring_id(loader.spec.name));
  for (const auto& task : catalog->tasks) gone.erase(task_recurring_id(task.spec.name));
  for (const auto& id : gone) {
    SLUICE_CHECK(engine_->retire_recurring(
        id, fmt::format("the definition of {} is gone", id.substr(id.find(':') + 1))));
  }
  scheduled_ = catalog;
  return {};
}

Result<std::vector<std::string>> Service::leftovers() {
  // Its file went while nobody ran, or the last reload failed half-way.
  SLUICE_TRY(const auto remembered, store_->definitions().load());
  std::unordered_set<std::string> known;
  for (const auto& definition : remembered) {
    if (definition.kind == "loader") known.insert(recurring_id(definition.name));
    if (definition.kind == "job") known.insert(task_recurring_id(definition.name));
  }
  SLUICE_TRY(const auto all, engine_->list_recurring());
  std::vector<std::string> left;
  for (const auto& recurring : all) {
    const auto& spec = recurring.spec;
    // Other programs keep theirs in the same store; ours are told by their ids.
    const bool ours = spec.kind == kLoadKind || spec.id == task_recurring_id(spec.subject);
    if (ours && !known.contains(spec.id)) left.push_back(spec.id);
  }
  return left;
}

Result<void> Service::run_at_startup(const Definitions& definitions, const std::vector<std::string>& names,
                                     bool starting) {
  const auto now = clock_.now();
  Past pasts(databases_, definitions.catalog->service, store_->queries());
  std::vector<jobs::NewJob> wanted;
  for (const auto& name : names) {
    const auto* loader = definitions.catalog->find(name);
    if (loader == nullptr || !loader->spec.enabled ||
        loader->spec.schedule.run_on_startup == RunOnStartup::never)
      continue;
    SLUICE_TRY(const auto past, pasts.of(loader->spec));
    if (runs_now(*loader, past, starting, now))
      wanted.push_back(load_job(*loader, jobs::Origin::startup, {}));
  }
  if (wanted.empty()) return {};
  // In one transaction: a thousand new loaders are no reason to start slowly.
  SLUICE_TRY(const auto made, engine_->enqueue_all(wanted));
  for (std::size_t i = 0; i < made.size(); ++i)
    spdlog::info("{} runs now (job {})", wanted[i].subject, made[i].id.value());
  return {};
}

}  // namespace sluice::service
