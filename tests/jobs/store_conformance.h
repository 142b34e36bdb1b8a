// The rules every job store keeps, whatever database it is. A store joins by instantiating the suite with a
// Setting, as sqlite_store_test.cpp does.
#pragma once

#include "jobs/store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace sluice::jobs {

// One database that any number of stores (= processes) open.
class Setting {
 public:
  virtual ~Setting() = default;
  virtual std::unique_ptr<Store> open() = 0;
  // What no program of ours does to it.
  virtual void execute(std::string_view script) = 0;
  virtual std::int64_t number(std::string_view query) = 0;
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<Setting>()> make;
};
inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

class StoreConformance : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override;
  void start_anew();  // with an empty store

  NewJob job(std::string subject = "Country") const;
  JobId add(NewJob job);
  JobId add() { return add(job()); }
  std::vector<Claimed> claim(int limit = 10);
  Claimed claim_one();
  // False: the lease was lost.
  bool complete(Completion completion) { return ending(std::move(completion)).has_value(); }
  // The state the job has afterwards.
  std::optional<JobState> ending(Completion completion);
  Job get(JobId id);
  // A new job that has come to the state.
  JobId in_state(JobState state);
  Batch batch(JobId id) { return store_->flow().batch(id).value().value(); }
  // Nothing is left to be done later.
  void settle() {
    while (store_->flow().settle(kSettleAtOnce, now_).value() > 0) {
    }
  }
  Result<JobState> ask(JobId id, const StateRequest& request) {
    return store_->flow().change(id, request, now_);
  }
  RecurringSpec recurring(std::string id = "load:Country") const;
  // Fires what is due as if each schedule ticked at the given time and next an hour later.
  std::vector<Fired> fire(std::vector<Tick> ticks);
  void upsert(RecurringSpec spec);
  void join(Store& store, std::string id);

  std::unique_ptr<Setting> setting_;
  std::unique_ptr<Store> store_;
  Timestamp now_ = std::chrono::sys_days(std::chrono::year(2026) / 3 / 10);
};

}  // namespace sluice::jobs
