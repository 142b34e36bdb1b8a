// The filters of an engine, in their order.
#pragma once

#include "jobs/context.h"
#include "jobs/filter.h"
#include "jobs/store.h"

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

class Filters {
 public:
  // An empty kind = every kind. Before the engine starts; afterwards the list is only read.
  void add(std::shared_ptr<Filter> filter, std::string kind);
  bool empty() const { return entries_.empty(); }

  // `changed` holds the jobs when there are filters; the result is they, or those given.
  Result<std::span<const NewJob>> enqueuing(std::span<const NewJob> jobs, std::vector<NewJob>& changed) const;
  void enqueued(std::span<const NewJob> jobs, std::span<const Enqueued> made) const;
  Result<JobOutcome> perform(const Handler& handler, JobContext& context, std::stop_token stop) const;
  // Writes what was elected into the completion.
  void elect(JobContext& context, Completion& completion, Timestamp now) const;
  void applied(const Job& job, JobState state) const;

 private:
  struct Entry {
    std::string kind;
    std::shared_ptr<Filter> filter;
  };
  template <class F>
  void each(std::string_view kind, F&& call) const;

  std::vector<Entry> entries_;  // those of every kind first
};

// The handler's own outcome; what it throws is an error (internal).
Result<JobOutcome> call_handler(const Handler& handler, JobContext& context, std::stop_token stop);

}  // namespace sluice::jobs
