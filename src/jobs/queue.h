// Queues: every job is in one. A queue needs no set-up; a row is made of it when it is first paused or
// limited.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

struct KeyLimit;

// A queue that a node serves. Of two queues with jobs waiting, the one of weight 3 gets three workers for one
// of the other's; priorities count inside a queue only.
struct QueueShare {
  std::string name;
  int weight = 1;  // 1 to 1000
  friend bool operator==(const QueueShare&, const QueueShare&) = default;
};

// Counts past this are not counted to their end.
inline constexpr std::int64_t kMostCounted = 10'000;

struct QueueInfo {
  std::string name;
  std::int64_t waiting = 0;    // enqueued jobs, kMostCounted at most
  std::int64_t scheduled = 0;  // kMostCounted at most
  std::int64_t running = 0;
  std::optional<Timestamp> oldest_waiting;  // when it was created
  std::optional<int> max_running;           // over all nodes; none = no limit
  std::optional<Timestamp> paused_at;
  std::string paused_by, pause_reason;
};

class QueueStore {
 public:
  virtual ~QueueStore() = default;
  // Those that were configured, and those that have jobs waiting; by name.
  virtual Result<std::vector<QueueInfo>> list() = 0;
  // From now on no job of it begins, on any node; what runs goes on. Pausing again changes the reason.
  virtual Result<void> pause(std::string_view queue, std::string_view by, std::string_view reason,
                             Timestamp now) = 0;
  virtual Result<void> resume(std::string_view queue, Timestamp now) = 0;
  // At most so many run at once, over all nodes; nothing lifts the limit. What runs over it goes on.
  virtual Result<void> set_max_running(std::string_view queue, std::optional<int> most, Timestamp now) = 0;
};

// 1 to 100 of a-z 0-9 _ -; an error (invalid_argument) otherwise.
Result<void> check_queue_name(std::string_view name);
Result<void> check_queue_share(const QueueShare& share);
Result<void> check_max_running(std::string_view queue, std::optional<int> most);
// A key with neither limit, a limit without a key, or numbers out of range are refused (invalid_argument).
Result<void> check_limit(std::string_view key, const KeyLimit& limit);

}  // namespace sluice::jobs
