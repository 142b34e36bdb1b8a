// A backend with fixed answers that records what it was asked.
#pragma once

#include "api/backend.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::api {

class FakeBackend final : public JobReads,
                          public CatalogReads,
                          public ServiceReads,
                          public Actions,
                          public QueueActions {
 public:
  Backend parts() { return {*this, *this, *this, *this, *this}; }

  Result<ListPage> jobs(const JobFilter& filter, const PageRequest& page) override {
    last_filter = filter;
    last_page = page;
    return ListPage{R"([{"id":"9007199254740993"}])", next_cursor};
  }
  Result<std::string> job(JobId id) override {
    if (id != JobId(17)) return fail(ErrorCode::not_found, "there is no job " + std::to_string(id.value()));
    return std::string(R"({"id":"17"})");
  }
  Result<ListPage> job_changes(JobId, const PageRequest&) override {
    return ListPage{R"([{"op":"update"}])", ""};
  }
  Result<ListPage> job_rejects(JobId, const PageRequest&) override { return ListPage{}; }
  Result<ListPage> job_log(JobId, const PageRequest&) override { return ListPage{}; }
  Result<ListPage> recurring(const PageRequest&) override { return ListPage{}; }
  Result<ListPage> queues(const PageRequest& page) override { return plain_list(page); }
  Result<ListPage> batches(const PageRequest& page) override {
    last_page = page;
    return ListPage{R"([{"id":"14","total":3}])", list_cursor};
  }
  Result<ListPage> nodes(const PageRequest& page) override { return plain_list(page); }

  Result<ListPage> loaders(const LoaderFilter& filter, const PageRequest& page) override {
    last_loader_filter = filter;
    last_page = page;
    return ListPage{R"([{"name":"Country"}])", list_cursor};
  }
  Result<std::string> loader(const std::string& name) override {
    if (name != "Country") return fail(ErrorCode::not_found, "there is no loader '" + name + "'");
    return std::string(R"({"name":"Country"})");
  }
  Result<ListPage> definitions(const PageRequest& page) override { return plain_list(page); }
  Result<std::string> schedule(const std::string& phrase, const std::string& zone,
                               std::optional<Timestamp> from, int count) override {
    last_schedule = {phrase, zone, from, count};
    return std::string(R"({"ok":true})");
  }

  Result<std::string> overview(std::chrono::seconds window, std::chrono::seconds bucket) override {
    last_window = {window, bucket};
    if (overview_hook) overview_hook();
    return std::string(R"({"version":"0.1.0"})");
  }
  Result<MetricsSnapshot> metrics() override {
    return MetricsSnapshot{.jobs = {{"succeeded", 12}, {"failed", 1}},
                           .loaders = {{.name = "say \"hi\"\\\n",
                                        .failing = true,
                                        .last_success = Timestamp(std::chrono::seconds(5))}},
                           .definitions_invalid = 2,
                           .nodes_alive = 1,
                           .oldest_enqueued = {}};
  }
  Result<void> ready() override { return readiness; }
  std::unique_ptr<Subscription> subscribe(std::function<void(const ChangeNotice&)> listener) override {
    struct Token final : Subscription {
      explicit Token(FakeBackend& owner) : backend(owner) {}
      ~Token() override {
        const std::scoped_lock lock(backend.mutex);
        backend.listener_ = nullptr;
      }
      FakeBackend& backend;
    };
    const std::scoped_lock lock(mutex);
    listener_ = std::move(listener);
    return std::make_unique<Token>(*this);
  }
  void notify(const ChangeNotice& notice) {
    const std::scoped_lock lock(mutex);
    if (listener_) listener_(notice);
  }

  Result<std::string> run_loader(const std::string& name, const std::string& actor) override {
    return act("run " + name + " by " + actor, R"({"job":"18"})");
  }
  Result<std::string> plan_loader(const std::string& name, const std::string& actor) override {
    return act("plan " + name + " by " + actor, R"({"job":"19"})");
  }
  Result<std::string> pause_loader(const std::string& name, const std::string& actor) override {
    return act("pause " + name + " by " + actor, "{}");
  }
  Result<std::string> resume_loader(const std::string& name, const std::string& actor) override {
    return act("resume " + name + " by " + actor, "{}");
  }
  Result<std::string> pause_queue(const std::string& name, const std::string& actor) override {
    return act("pause queue " + name + " by " + actor, "{}");
  }
  Result<std::string> resume_queue(const std::string& name, const std::string& actor) override {
    return act("resume queue " + name + " by " + actor, "{}");
  }
  Result<std::string> cancel_job(JobId id, const JobAsk& ask) override {
    return act("cancel " + std::to_string(id.value()) + (ask.expected.empty() ? "" : " if " + ask.expected) +
                   " by " + ask.actor,
               "{}");
  }
  Result<std::string> retry_job(JobId, const JobAsk&) override {
    return fail(ErrorCode::conflict, "job 17 is running");
  }
  Result<std::string> reschedule_job(JobId id, const JobAsk& ask) override {
    return act("reschedule " + std::to_string(id.value()) + " to " + format_utc(*ask.at), "{}");
  }
  Result<std::string> retry_jobs(const JobFilter& filter, const PageRequest& page,
                                 const std::string& actor) override {
    last_filter = filter;
    last_page = page;
    return act("retry all by " + actor, R"({"changed":2,"refused":0,"next":null})");
  }
  Result<std::string> undo_job(JobId, const std::string&) override {
    return fail(ErrorCode::unsupported, "undo is not available yet");
  }
  Result<std::string> approve_job(JobId, const std::string&) override {
    return fail(ErrorCode::unsupported, "approve is not available yet");
  }

  struct ScheduleCall {
    std::string phrase, zone;
    std::optional<Timestamp> from;
    int count = 0;
  };
  std::string next_cursor;  // of jobs
  std::string list_cursor;  // of loaders, definitions, queues and nodes
  JobFilter last_filter;
  PageRequest last_page;
  LoaderFilter last_loader_filter;
  ScheduleCall last_schedule;
  std::pair<std::chrono::seconds, std::chrono::seconds> last_window;
  std::vector<std::string> acts;
  Result<void> readiness;
  std::function<void()> overview_hook;
  std::mutex mutex;

 private:
  Result<ListPage> plain_list(const PageRequest& page) {
    last_page = page;
    return ListPage{"[]", list_cursor};
  }
  Result<std::string> act(std::string what, std::string answer) {
    const std::scoped_lock lock(mutex);
    acts.push_back(std::move(what));
    return answer;
  }
  std::function<void(const ChangeNotice&)> listener_;
};

}  // namespace sluice::api
