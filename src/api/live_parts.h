// The classes behind LiveBackend, one a resource; each is defined in the file of its name.
#pragma once

#include "api/backend.h"
#include "api/live_json.h"
#include "api/live_progress.h"
#include "service/service.h"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace sluice::api {

class LiveJobs final : public JobReads {
 public:
  LiveJobs(service::Service& service, const LiveProgress& progress)
      : service_(service), progress_(progress) {}
  Result<ListPage> jobs(const JobFilter& filter, const PageRequest& page) override;
  Result<std::string> job(JobId id) override;
  Result<ListPage> job_changes(JobId id, const PageRequest& page) override;
  Result<ListPage> job_rejects(JobId id, const PageRequest& page) override;
  Result<ListPage> job_log(JobId id, const PageRequest& page) override;
  Result<ListPage> recurring(const PageRequest& page) override;
  Result<ListPage> queues(const PageRequest& page) override;
  Result<ListPage> batches(const PageRequest& page) override;
  Result<ListPage> nodes(const PageRequest& page) override;

 private:
  service::Service& service_;
  const LiveProgress& progress_;
};

class LiveCatalog final : public CatalogReads {
 public:
  explicit LiveCatalog(service::Service& service) : service_(service) {}
  Result<ListPage> loaders(const LoaderFilter& filter, const PageRequest& page) override;
  Result<std::string> loader(const std::string& name) override;
  Result<ListPage> definitions(const PageRequest& page) override;
  Result<std::string> schedule(const std::string& phrase, const std::string& zone,
                               std::optional<Timestamp> from, int count) override;

 private:
  service::Service& service_;
};

class LiveService final : public ServiceReads {
 public:
  LiveService(service::Service& service, const LiveProgress& progress)
      : service_(service), progress_(progress) {}
  Result<std::string> overview(std::chrono::seconds window, std::chrono::seconds bucket) override;
  Result<MetricsSnapshot> metrics() override;
  Result<void> ready() override;
  std::unique_ptr<Subscription> subscribe(std::function<void(const ChangeNotice&)> listener) override;

 private:
  service::Service& service_;
  const LiveProgress& progress_;
};

class LiveActions final : public Actions {
 public:
  explicit LiveActions(service::Service& service) : service_(service) {}
  Result<std::string> run_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> plan_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> pause_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> resume_loader(const std::string& name, const std::string& actor) override;
  Result<std::string> cancel_job(JobId id, const JobAsk& ask) override;
  Result<std::string> retry_job(JobId id, const JobAsk& ask) override;
  Result<std::string> reschedule_job(JobId id, const JobAsk& ask) override;
  Result<std::string> retry_jobs(const JobFilter& filter, const PageRequest& page,
                                 const std::string& actor) override;
  Result<std::string> undo_job(JobId id, const std::string& actor) override;
  Result<std::string> approve_job(JobId id, const std::string& actor) override;

 private:
  service::Service& service_;
};

class LiveQueueActions final : public QueueActions {
 public:
  explicit LiveQueueActions(service::Service& service) : service_(service) {}
  Result<std::string> pause_queue(const std::string& name, const std::string& actor) override;
  Result<std::string> resume_queue(const std::string& name, const std::string& actor) override;

 private:
  service::Service& service_;
};

// What the engine's own indexes can find of the filter; the rest is looked through.
jobs::JobFilter indexed(const JobFilter& filter);

// LOADERs of these definitions (backend.h), in their order: a fixed number of queries, however many they are.
Result<std::vector<std::string>> loader_texts(service::Service& service,
                                              const service::Definitions& definitions,
                                              std::span<const definition::LoaderDefinition* const> loaders);

// The newest runs of these loaders that came to an end by themselves; `how_many` of each.
Result<void> each_recent_run(service::Service& service, std::vector<std::string> loaders, int how_many,
                             bool with_result, const jobs::JobQueries::OnRecent& visit);
// Of all loaders: those whose newest run failed, with that run's job.
Result<std::map<std::string, JobId>> failing_loaders(service::Service& service,
                                                     const service::Definitions& definitions);

// One page of a list that is in memory whole and sorted by the text in `key`: what stands behind `after`.
ListPage page_of(const Json& items, const char* key, const PageRequest& page);

// not_found when there is none of this id.
Result<jobs::Job> find_job(service::Service& service, JobId id);

// When the job that waits longest for a worker was created.
Result<std::optional<Timestamp>> oldest_enqueued(jobs::Store& store);

// A page cursor that is a number; invalid_argument when it is not.
Result<std::int64_t> number_cursor(const std::string& after);

}  // namespace sluice::api
