// The store's own thread, with a connection of its own: it says every 5 s that its nodes live, tells other
// stores of changes and hears of theirs. Starts with the first node.
#pragma once

#include "base/error.h"
#include "jobs/postgres/database.h"
#include "jobs/store.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace sluice::jobs {

// This machine's clock, as it is told against the database's.
std::int64_t wall_clock_us();

class PostgresWatch {
 public:
  explicit PostgresWatch(PostgresPool& pool);
  // Nodes that have not left are dead from now on: their jobs may be taken back at once.
  ~PostgresWatch();
  PostgresWatch(const PostgresWatch&) = delete;
  PostgresWatch& operator=(const PostgresWatch&) = delete;

  // The node's row is there already.
  void begin(const Node& node);
  void end(std::string_view id);

  // Called when others changed something. After the call no older function is running any more.
  void on_news(std::function<void()> wake);
  // Whether the last word of its nodes is so old that others will take them for dead within 5 s, or have.
  bool silent_for_long() const;
  // Whether the way to the database has been there for long enough that others, who may have lost it too, had
  // the time to say that they live.
  bool settled() const;

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  void loop(const std::stop_token& stop);
  Result<void> round(const std::stop_token& stop);
  Result<void> beat();
  Result<void> tell_others(SteadyTime now);
  void warn_of_skew(std::chrono::microseconds skew);
  void changed_here();
  void heard();

  PostgresPool& pool_;
  const std::string name_;  // of this store, so that it knows its own notices
  const std::string channel_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any wake_;
  std::map<std::string, Node, std::less<>> nodes_;
  bool to_tell_ = false;
  std::optional<std::stop_source> waiting_;  // stopped to end the thread's wait
  std::optional<SteadyTime> trouble_;
  SteadyTime spoken_{};  // before the last word that was heard

  std::mutex news_mutex_;
  std::function<void()> news_;

  // The thread's alone.
  std::unique_ptr<sql::PostgresConnection> connection_;
  SteadyTime next_beat_{}, told_at_{};
  bool skewed_ = false;
  std::jthread thread_;
};

}  // namespace sluice::jobs
