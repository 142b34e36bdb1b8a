// The classes behind LiveBackend, one a resource; each is defined in the file of its name.
#pragma once

#include "api/backend.h"
#include "api/live_json.h"
#include "service/service.h"

namespace sluice::api {

class LiveJobs final : public JobReads {
 public:
  explicit LiveJobs(service::Service& service) : service_(service) {}
  Result<ListPage> jobs(const JobFilter& filter, const PageRequest& page) override;
  Result<std::string> job(JobId id) override;
  Result<ListPage> job_changes(JobId id, const PageRequest& page) override;
  Result<ListPage> job_rejects(JobId id, const PageRequest& page) override;
  Result<ListPage> job_log(JobId id, const PageRequest& page) override;
  Result<ListPage> recurring(const PageRequest& page) override;
  Result<std::string> queues() override;
  Result<std::string> nodes() override;

 private:
  service::Service& service_;
};

class LiveCatalog final : public CatalogReads {
 public:
  explicit LiveCatalog(service::Service& service) : service_(service) {}
  Result<std::string> loaders() override;
  Result<std::string> loader(const std::string& name) override;
  Result<std::string> definitions() override;
  Result<std::string> schedule(const std::string& phrase, const std::string& zone,
                               std::optional<Timestamp> from, int count) override;

 private:
  service::Service& service_;
};

class LiveService final : public ServiceReads {
 public:
  explicit LiveService(service::Service& service) : service_(service) {}
  Result<std::string> overview(std::chrono::seconds window, std::chrono::seconds bucket) override;
  Result<MetricsSnapshot> metrics() override;
  Result<void> ready() override;
  std::unique_ptr<Subscription> subscribe(std::function<void(const ChangeNotice&)> listener) override;

 private:
  service::Service& service_;
};

class LiveActions final : public Actions {
 public:
  explicit LiveActions(service::Service& service) : service_(service) {}
  Result<std::string> run_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> plan_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> pause_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> resume_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> cancel_job(JobId id, const std::string& actor) override;
  Result<std::string> retry_job(JobId id, const std::string& actor) override;
  Result<std::string> undo_job(JobId id, const std::string& actor) override;
  Result<std::string> approve_job(JobId id, const std::string& actor) override;

 private:
  service::Service& service_;
};

// LOADER of one definition (backend.h); shared by the list and the single answer.
Result<Json> loader_json(service::Service& service, const service::Definitions& definitions,
                         const definition::LoaderDefinition& loader,
                         const std::optional<jobs::Recurring>& recurring);

// The newest finished runs of a loader that counted, oldest first.
Result<std::vector<jobs::Job>> recent_runs(service::Service& service, const std::string& loader, int limit);

// A page cursor that is a number; invalid_argument when it is not.
Result<std::int64_t> number_cursor(const std::string& after);

}  // namespace sluice::api
