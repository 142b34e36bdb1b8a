// Writes of several threads in one transaction, so that they share one sync of the disk.
#pragma once

#include "base/error.h"
#include "jobs/store/database.h"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace sluice::jobs {

// Thread-safe. Who comes while another one writes waits, and all that have come meanwhile are written by the
// first of them, on its thread: each in a savepoint of its own, so that an error takes back its own writes
// alone. Nobody has an answer before the commit. Nobody waits for company either: one that comes alone is
// written at once.
class GroupCommit {
 public:
  // An error takes back what it wrote.
  using Work = std::function<Result<void>(Database&)>;

  explicit GroupCommit(Database& database) : database_(database) {}
  // `together`: it may share a transaction with others; what writes much is better off without savepoints.
  // Locked, retryable: another process writes. An error of the commit is everybody's who was written with it,
  // as is one that makes the database take back the whole transaction.
  Result<void> write(const Work& work, bool together);
  // Runs `work` while nobody writes, outside any transaction.
  Result<void> between(const Work& work);
  // How many wait for the one that writes.
  std::size_t waiting() const;

 private:
  struct Waiting {
    const Work* work;
    bool together = false;
    std::optional<Result<void>> outcome;
  };
  using Group = std::vector<Waiting*>;
  // The oldest, and those behind it that may go with it.
  Group take_group();
  // What each came to, in the group's order.
  std::vector<Result<void>> run(const Group& group);
  Result<void> run_alone(const Work& work);
  std::vector<Result<void>> run_together(const Group& group);
  Result<void> run_within(const Work& work);

  Database& database_;
  mutable std::mutex mutex_;
  std::condition_variable done_;
  Group waiting_;
  bool writing_ = false;
};

}  // namespace sluice::jobs
