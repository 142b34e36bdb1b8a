// The hand of `sluice jobs`: what it changes, one job or loader after the other.
#pragma once

#include "app/command.h"
#include "base/clock.h"
#include "base/id.h"
#include "jobs/engine.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

struct JobsOptions {
  std::string action = "list";
  std::vector<std::string> of;  // numbers of jobs, or names of loaders and jobs
  std::vector<std::string> states;
  std::string loader;  // or job
  std::string kind;    // list: only of this kind
  std::string reason;
  std::optional<int> limit;  // of a list; none = kListed
  std::string queue;         // pause, resume, limit: this queue instead of loaders
  std::optional<int> most;   // limit
  std::string expected;      // cancel, retry: only jobs in this state
  bool all = false;          // retry: all failed ones, or those of the states given
};

// --state and --expected: a state by its name, or an `invalid_argument` that tells which there are.
Result<jobs::JobState> state_of(std::string_view option, const std::string& name);
// Each --state may hold several, by commas.
Result<std::vector<jobs::JobState>> states_of(const JobsOptions& options);

// One job or loader after the other; what is done stays done when a later one cannot be.
class JobHand {
 public:
  JobHand(jobs::Store& store, const JobsOptions& options, const GlobalOptions& globals)
      : store_(store), engine_(store, clock_), options_(options), globals_(globals) {}

  // What dead services held is free again, and they are no longer taken for somebody who works.
  Result<void> bury();

  // By a job's number.
  Result<void> cancel(const std::string& word);
  Result<void> retry(const std::string& word);
  // A step after the other: what is done stays done, should this process end.
  Result<void> retry_all();

  // By the name of a loader or a job.
  Result<void> enqueue(const std::string& loader);
  Result<void> pause(const std::string& loader);
  Result<void> resume(const std::string& loader);

 private:
  jobs::StateRequest again() const;
  Result<jobs::Cancelled> cancelled(JobId id);
  Result<void> cancel_batch(const jobs::Job& batch);
  static Result<JobId> number(const std::string& word);

  // The schedule that a service has made for the loader.
  Result<std::string> of_loader(const std::string& loader);
  Result<void> warn_of_nobody();

  SystemClock clock_;
  jobs::Store& store_;
  jobs::Engine engine_;  // never started: it changes, and works at nothing
  const JobsOptions& options_;
  const GlobalOptions& globals_;
  bool warned_ = false;
};

}  // namespace sluice::app
