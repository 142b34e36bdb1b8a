#include "jobs/postgres/watch.h"

#include "jobs/store/rows.h"
#include "sql/identifier.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr std::chrono::seconds kBeatEvery{5};
constexpr milliseconds kTryAgain{500};
// The first change is told at once, what follows within this time together.
constexpr milliseconds kTellEvery{2};
constexpr milliseconds kAnswerTimeout{5'000};
constexpr std::chrono::seconds kSettleFor{10};
// A word is good for 30 s by the database's clock; ours may be a little slower.
constexpr std::chrono::seconds kTrustedFor{25};

// Real time: it is another machine that is waited for.
std::chrono::steady_clock::time_point steady_now() { return std::chrono::steady_clock::now(); }

std::string random_name() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace

std::int64_t wall_clock_us() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

PostgresWatch::PostgresWatch(PostgresPool& pool)
    : pool_(pool), name_(random_name()), channel_("sluice_" + pool.schema()) {}

PostgresWatch::~PostgresWatch() {
  pool_.on_change({});
  thread_.request_stop();
  changed_here();
  if (thread_.joinable()) thread_.join();
  std::vector<std::string> left;
  left.reserve(nodes_.size());
  for (const auto& [id, node] : nodes_) left.push_back(id);
  if (left.empty()) return;
  // Should this not be possible, they are dead when their time is over.
  (void)pool_.write([&](Database& database) -> Result<int> {
    return database.run("update node set expires_at = now() - interval '1 second' where id = any(?::text[])",
                        array_text(left));
  });
}

void PostgresWatch::begin(const Node& node) {
  {
    std::lock_guard lock(mutex_);
    nodes_.insert_or_assign(node.id, node);
    if (!thread_.joinable()) spoken_ = steady_now();
    if (!thread_.joinable()) {
      next_beat_ = steady_now() + kBeatEvery;
      thread_ = std::jthread([this](const std::stop_token& stop) { loop(stop); });
    }
  }
  pool_.on_change([this] { changed_here(); });
}

void PostgresWatch::end(std::string_view id) {
  std::lock_guard lock(mutex_);
  if (const auto found = nodes_.find(id); found != nodes_.end()) nodes_.erase(found);
}

void PostgresWatch::on_news(std::function<void()> wake) {
  std::lock_guard lock(news_mutex_);
  news_ = std::move(wake);
}

bool PostgresWatch::silent_for_long() const {
  std::lock_guard lock(mutex_);
  return steady_now() - spoken_ >= kTrustedFor;
}

bool PostgresWatch::settled() const {
  std::lock_guard lock(mutex_);
  return !trouble_ || steady_now() - *trouble_ >= kSettleFor;
}

void PostgresWatch::changed_here() {
  {
    std::lock_guard lock(mutex_);
    to_tell_ = true;
    if (waiting_) waiting_->request_stop();
  }
  wake_.notify_all();
}

void PostgresWatch::heard() {
  std::lock_guard lock(news_mutex_);
  if (news_) news_();
}

void PostgresWatch::loop(const std::stop_token& stop) {
  std::string last_error;
  while (!stop.stop_requested()) {
    const auto done = round(stop);
    if (done) {
      last_error.clear();
      continue;
    }
    connection_.reset();
    if (stop.stop_requested()) return;
    if (std::string text = done.error().describe(); text != last_error) {
      spdlog::warn("the job store's database cannot be reached and is tried again: {}", text);
      last_error = std::move(text);
    }
    std::unique_lock lock(mutex_);
    trouble_ = steady_now();
    wake_.wait_for(lock, stop, kTryAgain, [] { return false; });
  }
}

Result<void> PostgresWatch::round(const std::stop_token& stop) {
  if (!connection_) {
    SLUICE_TRY(connection_, pool_.connect(kAnswerTimeout, kAnswerTimeout));
    connection_->stop_on(stop);
    SLUICE_CHECK(connection_->execute("listen " + sql::quote_identifier(channel_)));
    SLUICE_CHECK(beat());
    heard();  // whatever was said meanwhile was not heard
  }
  const auto now = steady_now();
  if (now >= next_beat_) SLUICE_CHECK(beat());
  SLUICE_CHECK(tell_others(now));
  std::stop_token woken;
  milliseconds wait{};
  {
    std::lock_guard lock(mutex_);
    const auto until = to_tell_ ? std::min(next_beat_, told_at_ + kTellEvery) : next_beat_;
    wait = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - steady_now()));
    woken = waiting_.emplace().get_token();
    // Told between our look at it and here: it is not to be waited for.
    if (stop.stop_requested() || (to_tell_ && steady_now() - told_at_ >= kTellEvery))
      waiting_->request_stop();
  }
  SLUICE_TRY(const auto notices, connection_->notifications(wait, woken));
  const bool others =
      std::ranges::any_of(notices, [&](const sql::Notification& one) { return one.payload != name_; });
  if (others) heard();
  return {};
}

Result<void> PostgresWatch::tell_others(SteadyTime now) {
  {
    std::lock_guard lock(mutex_);
    if (!to_tell_ || now - told_at_ < kTellEvery) return {};
    to_tell_ = false;
  }
  told_at_ = now;
  return connection_->execute(fmt::format("notify {}, '{}'", sql::quote_identifier(channel_), name_));
}

Result<void> PostgresWatch::beat() {
  std::map<std::string, Node, std::less<>> nodes;
  {
    std::lock_guard lock(mutex_);
    nodes = nodes_;
  }
  const auto asked = steady_now();
  next_beat_ = asked + kBeatEvery;
  for (const auto& [id, node] : nodes) {
    // One that others took for dead comes back: its jobs are theirs, but it can take new ones.
    SLUICE_TRY(auto say,
               connection_->prepare(
                   "insert into node (id, name, pid, version, workers, started_at, kinds, expires_at, "
                   "skew_us) values (?, ?, ?, ?, ?, ?, ?, now() + interval '30 seconds', ?::bigint - "
                   "(extract(epoch from clock_timestamp()) * 1000000)::bigint) on conflict (id) do "
                   "update set expires_at = excluded.expires_at, skew_us = excluded.skew_us "
                   "returning skew_us"));
    const std::string name = storable(node.name), version = storable(node.version);
    const std::string kinds = node.kinds ? storable(kinds_text(*node.kinds)) : std::string();
    say->bind_text(1, id);
    say->bind_text(2, name);
    say->bind_int64(3, node.pid);
    say->bind_text(4, version);
    say->bind_int64(5, node.workers);
    say->bind_int64(6, node.started_at.time_since_epoch().count());
    say->bind(7, node.kinds ? sql::Value::of(std::string_view(kinds)) : sql::Value());
    say->bind_int64(8, wall_clock_us());
    SLUICE_TRY(const bool said, say->step());
    if (said) warn_of_skew(std::chrono::microseconds(say->int64(0)));
  }
  std::lock_guard lock(mutex_);
  spoken_ = asked;
  return {};
}

void PostgresWatch::warn_of_skew(std::chrono::microseconds skew) {
  const bool skewed = std::chrono::abs(skew) > kMostSkew;
  if (skewed && !skewed_) {
    spdlog::warn(
        "this machine's clock is {:.1f} s {} the database's: schedules fire and retries wait by clocks that "
        "differ; let NTP set both",
        std::abs(static_cast<double>(skew.count())) / 1e6, skew.count() > 0 ? "ahead of" : "behind");
  } else if (!skewed && skewed_) {
    spdlog::info("this machine's clock goes with the database's again");
  }
  skewed_ = skewed;
}

}  // namespace sluice::jobs
