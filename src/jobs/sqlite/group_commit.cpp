#include "jobs/sqlite/group_commit.h"

#include "sql/transaction.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace sluice::jobs {
namespace {

// One transaction stays short for other processes, who wait for its end.
constexpr std::size_t kMostTogether = 64;

}  // namespace

Result<void> GroupCommit::write(const Work& work, bool together) {
  Waiting mine{&work, together, {}};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  done_.wait(lock, [&] { return mine.outcome.has_value() || !writing_; });
  if (mine.outcome) return *std::move(mine.outcome);
  writing_ = true;
  // The oldest first, so that nobody waits for ever; it may take another turn until it is ours.
  while (!mine.outcome) {
    const Group group = take_group();
    lock.unlock();
    auto outcomes = run(group);
    lock.lock();
    for (std::size_t i = 0; i < group.size(); ++i) group[i]->outcome = std::move(outcomes[i]);
    done_.notify_all();
  }
  writing_ = false;
  done_.notify_all();
  return *std::move(mine.outcome);
}

GroupCommit::Group GroupCommit::take_group() {
  std::size_t size = 1;
  while (waiting_.front()->together && size < std::min(waiting_.size(), kMostTogether) &&
         waiting_[size]->together)
    ++size;
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(size);
  Group group(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return group;
}

std::size_t GroupCommit::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

Result<void> GroupCommit::between(const Work& work) {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return !writing_; });
  writing_ = true;
  lock.unlock();
  auto outcome = work(database_);
  lock.lock();
  writing_ = false;
  done_.notify_all();
  return outcome;
}

std::vector<Result<void>> GroupCommit::run(const Group& group) {
  if (group.size() > 1) return run_together(group);
  return {run_alone(*group.front()->work)};
}

Result<void> GroupCommit::run_alone(const Work& work) {
  SLUICE_TRY(auto transaction, sql::Transaction::begin(database_.connection()));
  SLUICE_CHECK(work(database_));
  return transaction.commit();
}

std::vector<Result<void>> GroupCommit::run_together(const Group& group) {
  std::vector<Result<void>> outcomes(group.size());
  std::size_t ran = 0;
  const auto written = [&]() -> Result<void> {
    SLUICE_TRY(auto transaction, sql::Transaction::begin(database_.connection()));
    for (const Waiting* one : group) {
      Result<void>& outcome = outcomes[ran++];
      outcome = run_within(*one->work);
      // What makes the database take back everything is told to everybody.
      if (!outcome && !database_.connection().in_transaction()) return outcome;
    }
    return transaction.commit();
  }();
  if (written) return outcomes;
  if (ran == 0) ran = group.size();  // not even begun
  for (std::size_t i = 0; i < ran; ++i) {
    if (outcomes[i]) outcomes[i] = written;
  }
  // Those behind it have not been run yet.
  for (std::size_t i = ran; i < group.size(); ++i) outcomes[i] = run_alone(*group[i]->work);
  return outcomes;
}

Result<void> GroupCommit::run_within(const Work& work) {
  SLUICE_CHECK(database_.run("savepoint one"));
  auto outcome = work(database_);
  if (!database_.connection().in_transaction()) return outcome;
  if (!outcome) SLUICE_CHECK(database_.run("rollback to savepoint one"));
  SLUICE_CHECK(database_.run("release savepoint one"));
  return outcome;
}

}  // namespace sluice::jobs
