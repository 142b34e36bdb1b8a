// Filters around enqueue, handler and end of a job, in their order; what they throw or choose wrongly stays
// theirs.
#include "jobs/filter.h"

#include "jobs/engine_fixture.h"

#include <gmock/gmock.h>

#include <functional>
#include <stdexcept>

namespace sluice::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Writes down what passes it.
class Tracing final : public Filter {
 public:
  Tracing(std::string name, std::vector<std::string>& trace) : name_(std::move(name)), trace_(trace) {}
  Result<void> enqueuing(NewJob& job) override {
    note("enqueuing");
    job.name += name_;
    return {};
  }
  void enqueued(const NewJob& job, const Enqueued& made) override {
    note("enqueued");
    EXPECT_TRUE(made.id);
    EXPECT_THAT(job.name, HasSubstr(name_));
  }
  Result<JobOutcome> perform(JobContext&, std::stop_token, const Next& next) override {
    note("before");
    auto outcome = next();
    note("after");
    return outcome;
  }
  void elect(const Job&, Election&) override { note("elect"); }
  void applied(const Job&, JobState state) override { note("applied " + std::string(to_string(state))); }

 private:
  void note(const std::string& what) {
    std::lock_guard lock(mutex_);
    trace_.push_back(name_ + " " + what);
  }
  const std::string name_;
  std::mutex mutex_;
  std::vector<std::string>& trace_;
};

// One member each, as a test wants it.
struct Hooks final : public Filter {
  std::function<Result<void>(NewJob&)> on_enqueuing;
  std::function<Result<JobOutcome>(JobContext&, const Next&)> on_perform;
  std::function<void(const Job&, Election&)> on_elect;
  std::function<void(const Job&, JobState)> on_applied;
  Result<void> enqueuing(NewJob& job) override { return on_enqueuing ? on_enqueuing(job) : Result<void>(); }
  Result<JobOutcome> perform(JobContext& context, std::stop_token, const Next& next) override {
    return on_perform ? on_perform(context, next) : next();
  }
  void elect(const Job& job, Election& election) override {
    if (on_elect) on_elect(job, election);
  }
  void applied(const Job& job, JobState state) override {
    if (on_applied) on_applied(job, state);
  }
};

class FilterTest : public EngineTest {
 protected:
  // A started engine with one filter for all kinds, and the handler of "load".
  std::unique_ptr<Engine> with(std::shared_ptr<Filter> filter, Handler handler = succeeds()) {
    auto engine = make();
    engine->register_handler("load", std::move(handler));
    engine->add_filter(std::move(filter));
    start(*engine);
    return engine;
  }
  std::vector<std::string> log_of(JobId id) {
    std::vector<std::string> lines;
    const auto kept = store_->queries().log(id, 0, 100).value();
    for (const auto& line : kept) lines.push_back(line.text);
    return lines;
  }
};

TEST_F(FilterTest, those_of_every_kind_come_first_each_as_added) {
  std::vector<std::string> trace;
  {
    const auto engine = make();
    engine->register_handler("load", succeeds());
    engine->register_handler("other", succeeds());
    engine->add_filter(std::make_shared<Tracing>("L", trace), "load");
    engine->add_filter(std::make_shared<Tracing>("A", trace));
    engine->add_filter(std::make_shared<Tracing>("O", trace), "other");
    engine->add_filter(std::make_shared<Tracing>("B", trace));
    start(*engine);
    const auto id = engine->enqueue(job()).value();
    EXPECT_EQ(wait(*engine, id).name, "ABL");
    engine->stop();  // applied() comes after the commit
  }
  EXPECT_THAT(trace, ElementsAre("A enqueuing", "B enqueuing", "L enqueuing", "A enqueued", "B enqueued",
                                 "L enqueued", "A before", "B before", "L before", "L after", "B after",
                                 "A after", "A elect", "B elect", "L elect", "A applied succeeded",
                                 "B applied succeeded", "L applied succeeded"));
}

TEST_F(FilterTest, the_jobs_of_a_batch_pass_like_others) {
  std::vector<std::string> trace;
  const auto engine = make();
  engine->register_handler("load", succeeds());
  engine->add_filter(std::make_shared<Tracing>("A", trace));
  start(*engine);
  const auto batch = engine->create_batch({.name = "two", .jobs = {job("x"), job("y")}});
  ASSERT_TRUE(batch) << batch.error().describe();
  EXPECT_THAT(trace, ElementsAre("A enqueuing", "A enqueuing", "A enqueued", "A enqueued"));
}

TEST_F(FilterTest, a_refusal_keeps_the_whole_call_out) {
  const auto filter = std::make_shared<Hooks>();
  filter->on_enqueuing = [](NewJob& job) -> Result<void> {
    if (job.subject == "Country") return {};
    if (job.subject == "throws") throw std::runtime_error("boom");
    return fail(ErrorCode::forbidden, "not on sundays");
  };
  const auto engine = with(filter);
  const std::vector<NewJob> two = {job(), job("other")};
  const auto refused = engine->enqueue_all(two);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  EXPECT_EQ(refused.error().describe(), "job load other: not on sundays");
  EXPECT_EQ(engine->enqueue(job("throws")).error().code, ErrorCode::internal);
  EXPECT_TRUE(all().empty());
}

TEST_F(FilterTest, what_a_filter_makes_of_a_job_is_checked_too) {
  const auto filter = std::make_shared<Hooks>();
  filter->on_enqueuing = [](NewJob& job) -> Result<void> {
    job.args = "[]";
    return {};
  };
  EXPECT_FALSE(with(filter)->enqueue(job()));
}

TEST_F(FilterTest, a_filter_may_end_the_attempt_by_itself) {
  const auto filter = std::make_shared<Hooks>();
  filter->on_perform = [](JobContext&, const Filter::Next&) -> Result<JobOutcome> {
    return fail(ErrorCode::forbidden, "no licence");
  };
  bool called = false;
  const auto engine = with(filter, [&](JobContext&, std::stop_token) -> Result<JobOutcome> {
    called = true;
    return JobOutcome{};
  });
  EXPECT_EQ(wait(*engine, engine->enqueue(job()).value()).error->code, "forbidden");
  EXPECT_FALSE(called);
}

TEST_F(FilterTest, a_handler_that_throws_is_an_error_to_the_filter_and_a_filter_that_throws_fails_the_job) {
  const auto filter = std::make_shared<Hooks>();
  std::string seen;
  filter->on_perform = [&](JobContext&, const Filter::Next& next) -> Result<JobOutcome> {
    const auto outcome = next();
    seen = outcome ? "" : outcome.error().message;
    throw std::runtime_error("mine");
  };
  const auto engine = with(
      filter, [](JobContext&, std::stop_token) -> Result<JobOutcome> { throw std::runtime_error("its"); });
  const Job ended = wait(*engine, engine->enqueue(job()).value());
  EXPECT_THAT(seen, HasSubstr("its"));
  EXPECT_EQ(ended.error->code, "internal");
  EXPECT_THAT(ended.error->message, HasSubstr("mine"));
}

TEST_F(FilterTest, failed_may_become_scheduled) {
  const auto filter = std::make_shared<Hooks>();
  filter->on_elect = [&](const Job& job, Election& election) {
    if (election.to != JobState::failed || job.attempt > 1) return;
    election.to = JobState::scheduled;
    election.run_at = clock_.now() + std::chrono::hours(1);
  };
  std::vector<JobState> applied;
  filter->on_applied = [&](const Job&, JobState state) { applied.push_back(state); };
  const auto engine = with(filter, [](JobContext&, std::stop_token) -> Result<JobOutcome> {
    return fail(ErrorCode::unreachable, "down");
  });
  const auto id = engine->enqueue(job()).value();
  const Job waits = after_attempt(*engine, id, 1);
  EXPECT_EQ(waits.state, JobState::scheduled);
  EXPECT_EQ(waits.run_at, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(waits.error->code, "unreachable");
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(wait(*engine, id).state, JobState::failed);
  engine->stop();
  EXPECT_THAT(applied, ElementsAre(JobState::scheduled, JobState::failed));
}

TEST_F(FilterTest, succeeded_may_become_deleted_with_a_reason) {
  const auto filter = std::make_shared<Hooks>();
  filter->on_elect = [](const Job&, Election& election) {
    election.to = JobState::deleted;
    election.reason = "nobody asked";
  };
  const auto engine = with(filter);
  const Job ended = wait(*engine, engine->enqueue(job()).value());
  EXPECT_EQ(ended.state, JobState::deleted);
  EXPECT_EQ(ended.reason, "nobody asked");
}

TEST_F(FilterTest, a_choice_without_an_arrow_is_dropped_and_told_in_the_log) {
  const auto filter = std::make_shared<Hooks>();
  filter->on_elect = [](const Job& job, Election& election) {
    if (job.subject == "awaiting") election.to = JobState::awaiting;
    if (job.subject == "enqueued") election.to = JobState::enqueued;
    if (job.subject == "failed") election.to = JobState::failed;
    if (job.subject == "result") election.result = "{";
    if (job.subject == "throws") throw std::runtime_error("boom");
  };
  const auto engine = with(filter);
  const std::vector<std::pair<std::string, std::string>> cases = {{"awaiting", "cannot end awaiting"},
                                                                  {"enqueued", "cannot end enqueued"},
                                                                  {"failed", "needs an error"},
                                                                  {"result", "not JSON"},
                                                                  {"throws", "boom"}};
  for (const auto& [subject, message] : cases) {
    const auto id = engine->enqueue(job(subject)).value();
    EXPECT_EQ(wait(*engine, id).state, JobState::succeeded) << subject;
    EXPECT_THAT(log_of(id), ElementsAre(HasSubstr(message))) << subject;
  }
}

TEST_F(FilterTest, a_cancelled_job_is_deleted_whatever_is_elected) {
  const auto filter = std::make_shared<Hooks>();
  filter->on_elect = [](const Job&, Election& election) { election.to = JobState::scheduled; };
  Gate began;
  const auto engine = with(filter, [&](JobContext&, std::stop_token stop) -> Result<JobOutcome> {
    began.open();
    Gate never;
    never.wait(stop);
    return fail(ErrorCode::cancelled, "stopped");
  });
  const auto id = engine->enqueue(job()).value();
  tick(*engine);
  began.wait();
  EXPECT_EQ(engine->cancel(id, "enough").value(), Cancelled::requested);
  EXPECT_EQ(wait(*engine, id).state, JobState::deleted);
}

}  // namespace
}  // namespace sluice::jobs
