#include "jobs/engine/completer.h"

#include "jobs/engine_fixture.h"

#include <algorithm>
#include <set>

namespace sluice::jobs {
namespace {

// A store that writes what it is given, or says no; it notes the batches it was asked for.
class CompleterTest : public EngineTest {
 protected:
  Completer make_completer(bool more) {
    more_ = more;
    return {[this](std::span<const Completion> ends, Timestamp) { return write(ends); },
            [this](std::span<const Completion> ends) { return held(ends); }, clock_,
            [this] { return more_.load(); },
            [this](std::span<const Ended> ended, std::span<const std::optional<JobState>> states,
                   bool written) { note(ended, states, written); }};
  }
  Ended ended(std::int64_t id, bool at_once = false) {
    Claimed claimed;
    claimed.job.id = JobId(id);
    claimed.lease = {JobId(id), 1};
    Ended one{std::make_shared<Attempt>(std::move(claimed), *store_, clock_, std::make_shared<Listeners>()),
              {},
              at_once};
    one.completion.lease = {JobId(id), 1};
    return one;
  }
  void wait_for(std::size_t written) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return written_.size() >= written; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> more_ = false;
  std::vector<std::size_t> batches_;  // sizes of all tries
  std::multiset<std::int64_t> written_, lost_;
  std::set<std::int64_t> refused_;               // jobs whose batches fail
  std::set<std::int64_t> unspeakable_, failed_;  // those whose success is refused; who failed
  std::set<std::int64_t> held_;                  // jobs that somebody's open transaction holds
  std::optional<Error> trouble_;                 // what the next tries fail with, so often
  int troubles_ = 0;
  Gate* hold_ = nullptr;  // the next write waits for it
  Gate began_;

 private:
  Result<std::vector<bool>> held(std::span<const Completion> ends) {
    std::lock_guard lock(mutex_);
    std::vector<bool> held;
    for (const Completion& one : ends) held.push_back(held_.contains(one.lease.job.value()));
    return held;
  }
  Result<std::vector<std::optional<JobState>>> write(std::span<const Completion> ends) {
    Gate* hold = nullptr;
    {
      std::lock_guard lock(mutex_);
      batches_.push_back(ends.size());
      hold = std::exchange(hold_, nullptr);
    }
    began_.open();
    if (hold != nullptr) hold->wait();
    std::lock_guard lock(mutex_);
    if (troubles_ > 0) {
      --troubles_;
      return std::unexpected(*trouble_);
    }
    std::vector<std::optional<JobState>> states;
    for (const Completion& one : ends) {
      if (held_.contains(one.lease.job.value())) return fail_transient(ErrorCode::locked, "held");
      if (refused_.contains(one.lease.job.value())) return fail(ErrorCode::malformed, "cannot be written");
      const bool success = one.to == JobState::succeeded;
      if (success && unspeakable_.contains(one.lease.job.value()))
        return fail(ErrorCode::malformed, "cannot be written");
      if (!success) failed_.insert(one.lease.job.value());
      states.emplace_back(one.to);
    }
    return states;
  }
  void note(std::span<const Ended> ended, std::span<const std::optional<JobState>> states, bool written) {
    std::lock_guard lock(mutex_);
    EXPECT_EQ(ended.size(), states.size());
    for (const Ended& one : ended) (written ? written_ : lost_).insert(one.attempt->job().id.value());
    changed_.notify_all();
  }
};

TEST_F(CompleterTest, a_single_end_is_written_at_once_when_nothing_else_is_to_come) {
  auto completer = make_completer(false);
  completer.start();
  completer.add(ended(1));
  wait_for(1);
  EXPECT_EQ(batches_, std::vector<std::size_t>{1});
}

TEST_F(CompleterTest, a_long_one_takes_those_with_it_that_were_held_back) {
  auto completer = make_completer(true);
  completer.start();
  completer.add(ended(1));
  completer.add(ended(2, true));
  wait_for(2);
}

TEST_F(CompleterTest, what_ends_during_a_write_is_written_together) {
  auto completer = make_completer(false);
  Gate hold;
  hold_ = &hold;
  completer.start();
  completer.add(ended(1));
  began_.wait();
  for (std::int64_t id = 2; id <= 300; ++id) completer.add(ended(id));
  hold.open();
  wait_for(300);
  EXPECT_EQ(batches_, (std::vector<std::size_t>{1, 299}));
}

TEST_F(CompleterTest, a_load_is_written_beside_a_write_under_way) {
  auto completer = make_completer(false);
  Gate hold;
  hold_ = &hold;
  completer.start();
  completer.add(ended(1));
  began_.wait();
  for (std::int64_t id = 2; id <= 501; ++id) completer.add(ended(id));
  wait_for(500);
  EXPECT_FALSE(written_.contains(1)) << "still being written";
  hold.open();
  wait_for(501);
}

TEST_F(CompleterTest, ends_held_back_are_written_when_there_are_enough_or_their_time_is_over) {
  auto completer = make_completer(true);
  completer.start();
  for (std::int64_t id = 1; id <= 200; ++id) completer.add(ended(id));
  wait_for(200);
  completer.add(ended(201));  // alone, and others are still said to come
  wait_for(201);
}

TEST_F(CompleterTest, nothing_is_thrown_away_while_the_store_is_busy) {
  auto completer = make_completer(false);
  trouble_ = fail_transient(ErrorCode::locked, "busy").error();
  troubles_ = 3;
  completer.start();
  completer.add(ended(1));
  wait_for(1);
  EXPECT_TRUE(completer.wait_empty(std::chrono::hours(1)));
  EXPECT_EQ(batches_.size(), 4u);
  EXPECT_GE(clock_.slept(), std::chrono::milliseconds(50 + 100 + 200)) << "with longer and longer pauses";
  EXPECT_TRUE(lost_.empty());
}

TEST_F(CompleterTest, one_that_cannot_be_written_does_not_keep_the_others) {
  auto completer = make_completer(true);
  refused_ = {2};
  completer.start();
  completer.add(ended(1));
  completer.add(ended(2));
  completer.add(ended(3, true));
  wait_for(2);
  completer.add(ended(4, true));
  wait_for(3);
  completer.stop();
  EXPECT_EQ(written_, (std::multiset<std::int64_t>{1, 3, 4}));
  EXPECT_EQ(lost_, std::multiset<std::int64_t>{2}) << "said, when it was stopped";
}

TEST_F(CompleterTest, an_end_that_the_store_never_takes_fails_its_job_and_slows_nobody) {
  auto completer = make_completer(true);
  unspeakable_ = {2};
  completer.start();
  completer.add(ended(1));
  completer.add(ended(2));
  completer.add(ended(3, true));
  wait_for(2);
  const auto batches = batches_.size();
  completer.add(ended(4));
  completer.add(ended(5, true));
  wait_for(5);
  EXPECT_EQ(failed_, std::set<std::int64_t>{2});
  EXPECT_GT(batches_.size(), batches);
  EXPECT_EQ(clock_.slept(), std::chrono::milliseconds(0)) << "nobody waited for its pauses";
  completer.stop();
  EXPECT_TRUE(lost_.empty());
}

TEST_F(CompleterTest, one_that_somebody_holds_waits_alone) {
  auto completer = make_completer(true);
  held_ = {2};
  completer.start();
  completer.add(ended(1));
  completer.add(ended(2));
  completer.add(ended(3, true));
  wait_for(2);
  completer.add(ended(4, true));
  wait_for(3);
  {
    std::lock_guard lock(mutex_);
    EXPECT_EQ(written_, (std::multiset<std::int64_t>{1, 3, 4}));
    held_.clear();
  }
  wait_for(4);
  EXPECT_TRUE(completer.wait_empty(std::chrono::hours(1)));
  EXPECT_TRUE(lost_.empty());
}

TEST_F(CompleterTest, one_that_is_held_to_the_end_is_said) {
  auto completer = make_completer(false);
  held_ = {1};
  completer.start();
  completer.add(ended(1));
  completer.add(ended(2, true));
  wait_for(1);
  EXPECT_FALSE(completer.wait_empty(std::chrono::milliseconds(0)));
  completer.stop();
  EXPECT_EQ(written_, std::multiset<std::int64_t>{2});
  EXPECT_EQ(lost_, std::multiset<std::int64_t>{1});
}

TEST_F(CompleterTest, stopping_writes_what_is_left_and_gives_up_on_a_store_that_is_gone) {
  {
    auto completer = make_completer(true);
    completer.start();
    completer.add(ended(1));
    completer.stop();
    EXPECT_EQ(written_, std::multiset<std::int64_t>{1});
    completer.stop();
  }
  trouble_ = fail_transient(ErrorCode::unreachable, "gone").error();
  troubles_ = 1'000'000;
  auto completer = make_completer(true);
  completer.start();
  completer.add(ended(2));
  completer.stop();
  EXPECT_EQ(lost_, std::multiset<std::int64_t>{2});
}

}  // namespace
}  // namespace sluice::jobs
