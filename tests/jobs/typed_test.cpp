// Jobs as C++ types: what goes in comes out, and what does not fit is told by the name of its field.
#include "jobs/typed.h"

#include "jobs/engine_fixture.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <stdexcept>

namespace sluice::jobs {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Address {
  std::string city;
  int zip = 0;
  friend bool operator==(const Address&, const Address&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Address, city, zip)

struct SendReport {
  std::string to;
  int year = 0;
  double weight = 1.5;
  std::uint8_t copies = 1;
  Address address;
  std::vector<int> pages;
  static constexpr std::string_view job_kind = "send-report";
  NewJob job_options() const {
    return {.name = "Report to " + to, .queue = "mail", .priority = 2, .retry = {.limit = 4}};
  }
  friend bool operator==(const SendReport&, const SendReport&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SendReport, to, year, weight, copies, address, pages)

struct Plain {
  int n = 0;
  static constexpr std::string_view job_kind = "plain";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Plain, n)

// Version 1 had `euros`; version 2 `cents`; version 3 a currency.
struct Pay {
  std::int64_t cents = 0;
  std::string currency;
  static constexpr std::string_view job_kind = "pay";
  static constexpr int job_version = 3;
  static Result<nlohmann::json> upgrade_job(nlohmann::json args, int version) {
    if (version == 1) return nlohmann::json{{"cents", args.at("euros").get<int>() * 100}};
    if (args["cents"] < 0) return fail_transient(ErrorCode::invalid_argument, "cents: must not be negative");
    args["currency"] = "EUR";
    return args;
  }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Pay, cents, currency)

struct Total {
  int sum = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Total, sum)

// Of a library that nobody can change.
struct Foreign {
  int x = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Foreign, x)

}  // namespace

template <>
struct JobType<Foreign> {
  static constexpr std::string_view kind = "foreign";
};

namespace {

class TypedJobs : public EngineTest {
 protected:
  SendReport report() const {
    return {.to = "ada@example.org",
            .year = 2026,
            .weight = 0.1,
            .copies = 255,
            .address = {"Bern", 3000},
            .pages = {1, 2}};
  }
  // A job of the kind with arguments that somebody wrote by hand, or an earlier program.
  Job run_raw(Engine& engine, std::string kind, std::string args, RetryPolicy retry = {.limit = 3}) {
    NewJob job;
    job.kind = std::move(kind);
    job.args = std::move(args);
    job.retry = retry;
    return wait(engine, engine.enqueue(job).value());
  }
};

TEST_F(TypedJobs, arguments_come_back_as_they_were) {
  const auto engine = make();
  SendReport seen;
  engine->on<SendReport>([&](const SendReport& job, JobContext&, std::stop_token) -> Result<void> {
    seen = job;
    return {};
  });
  start(*engine);
  const auto id = engine->enqueue(report()).value();
  EXPECT_EQ(wait(*engine, id).state, JobState::succeeded);
  EXPECT_EQ(seen, report());
}

TEST_F(TypedJobs, a_type_says_what_its_jobs_are_like) {
  const auto engine = make();
  const Job made = get(engine->enqueue(report()).value());
  EXPECT_EQ(made.kind, "send-report");
  EXPECT_EQ(made.name, "Report to ada@example.org");
  EXPECT_EQ(made.queue, "mail");
  EXPECT_EQ(made.priority, 2);
  EXPECT_EQ(made.max_attempts, 5);
}

TEST_F(TypedJobs, options_given_replace_those_of_the_type_but_for_an_empty_name) {
  const auto engine = make();
  const Job made = get(engine->enqueue(report(), {.priority = 9, .started_by = "ada"}).value());
  EXPECT_EQ(made.name, "Report to ada@example.org");
  EXPECT_EQ(made.queue, "default");
  EXPECT_EQ(made.priority, 9);
  EXPECT_EQ(made.started_by, "ada");
  EXPECT_EQ(made.max_attempts, 1);
}

TEST_F(TypedJobs, a_delay_counts_from_now) {
  const auto engine = make();
  const Job made = get(engine->enqueue(Plain{}, {.delay = std::chrono::minutes(5)}).value());
  EXPECT_EQ(made.state, JobState::scheduled);
  EXPECT_EQ(made.run_at, clock_.now() + std::chrono::minutes(5));
  EXPECT_FALSE(engine->enqueue(Plain{}, {.delay = std::chrono::seconds(-1)}));
  EXPECT_FALSE(engine->enqueue(Plain{}, {.run_at = clock_.now(), .delay = std::chrono::seconds(1)}));
  EXPECT_FALSE(engine->enqueue(Plain{}, {.delay = std::chrono::milliseconds::max()}));
}

TEST_F(TypedJobs, options_cannot_say_another_kind_or_arguments) {
  const auto engine = make();
  EXPECT_FALSE(engine->enqueue(Plain{}, {.kind = "load"}));
  EXPECT_FALSE(engine->enqueue(Plain{}, {.args = R"({"n":2})"}));
}

TEST_F(TypedJobs, values_that_would_not_come_back_are_refused_by_name) {
  const auto engine = make();
  auto job = report();
  job.weight = std::nan("");
  auto refused = engine->enqueue(job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(refused.error().where, "job send-report");
  EXPECT_THAT(refused.error().message, StartsWith("weight: "));

  job = report();
  job.to = "\xff";
  refused = engine->enqueue(job);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, StartsWith("to: is not UTF-8"));

  job = report();
  job.to.assign(kMaxJobText, 'x');
  refused = engine->enqueue(job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_large);
  EXPECT_TRUE(all().empty());
}

TEST_F(TypedJobs, arguments_that_do_not_fit_fail_the_job_at_once) {
  const auto engine = make();
  int calls = 0;
  engine->on<SendReport>([&](const SendReport&) -> Result<void> {
    ++calls;
    return {};
  });
  start(*engine);
  const std::string good = R"("to":"a","year":1,"weight":1,"copies":1,"pages":[])";
  const std::string at = R"(,"address":{"city":"Bern","zip":3000})";
  const std::map<std::string, std::string> cases = {
      {"{" + good + R"(,"address":{"city":"Bern","zip":"x"}})",
       "address.zip: type must be number, but is string"},
      {R"({"to":"a","weight":1,"copies":1,"pages":[])" + at + "}", "year: is missing"},
      {R"({"to":7,"year":"soon","weight":1,"copies":1,"pages":[])" + at + "}", "year: type must be number"},
      {R"({"to":"a","year":2.5,"weight":1,"copies":1,"pages":[])" + at + "}", "year: 2.5 cannot be kept"},
      {R"({"to":"a","year":true,"weight":1,"copies":1,"pages":[])" + at + "}", "year: true cannot be kept"},
      {R"({"to":"a","year":1,"weight":1,"copies":256,"pages":[])" + at + "}", "copies: 256 cannot be kept"},
      {R"({"to":"a","year":1,"weight":1,"copies":1,"pages":[1,2.5])" + at + "}",
       "pages[1]: 2.5 cannot be kept"},
      {"{" + good + at + R"(,"when":"now"})", "when: there is no such field"},
  };
  for (const auto& [args, message] : cases) {
    const Job job = run_raw(*engine, "send-report", args);
    EXPECT_EQ(job.state, JobState::failed) << args;
    EXPECT_EQ(job.attempt, 1) << args;
    ASSERT_TRUE(job.error) << args;
    EXPECT_EQ(job.error->code, "invalidArgument") << args;
    EXPECT_THAT(job.error->message, HasSubstr("the arguments do not fit: ")) << args;
    EXPECT_THAT(job.error->message, HasSubstr(message)) << args;
  }
  EXPECT_EQ(calls, 0);
}

TEST_F(TypedJobs, a_type_with_defaults_takes_what_is_missing_from_them) {
  const auto engine = make();
  int seen = -1;
  engine->on<Plain>([&](const Plain& job, JobContext&) -> Result<void> {
    seen = job.n;
    return {};
  });
  start(*engine);
  EXPECT_EQ(run_raw(*engine, "plain", "{}").state, JobState::succeeded);
  EXPECT_EQ(seen, 0);
}

TEST_F(TypedJobs, arguments_of_earlier_versions_are_upgraded_step_by_step) {
  const auto engine = make();
  std::vector<std::string> seen;
  engine->on<Pay>([&](const Pay& pay) -> Result<void> {
    seen.push_back(std::to_string(pay.cents) + pay.currency);
    return {};
  });
  start(*engine);
  EXPECT_EQ(get(engine->enqueue(Pay{5, "CHF"}).value()).kind, "pay@3");
  EXPECT_EQ(run_raw(*engine, "pay", R"({"euros":7})").state, JobState::succeeded);
  EXPECT_EQ(run_raw(*engine, "pay@2", R"({"cents":42})").state, JobState::succeeded);
  EXPECT_THAT(seen, testing::UnorderedElementsAre("5CHF", "700EUR", "42EUR"));
}

TEST_F(TypedJobs, an_upgrade_that_fails_or_throws_fails_the_job_at_once) {
  const auto engine = make();
  engine->on<Pay>([](const Pay&) -> Result<void> { return {}; });
  start(*engine);
  const Job refused = run_raw(*engine, "pay@2", R"({"cents":-1})");
  EXPECT_EQ(refused.state, JobState::failed);
  EXPECT_THAT(refused.error->message, HasSubstr("cents: must not be negative"));
  const Job threw = run_raw(*engine, "pay", R"({"dollars":7})");
  EXPECT_EQ(threw.state, JobState::failed);
  EXPECT_EQ(threw.error->code, "invalidArgument");
  EXPECT_THAT(threw.error->message, HasSubstr("euros"));
}

TEST_F(TypedJobs, a_job_of_a_newer_version_waits_for_a_program_that_knows_it) {
  const auto engine = make();
  engine->on<Pay>([](const Pay&) -> Result<void> { return {}; });
  start(*engine);
  NewJob newer;
  newer.kind = "pay@4";
  const auto id = engine->enqueue(newer).value();
  tick(*engine);
  EXPECT_EQ(get(id).state, JobState::enqueued);
}

TEST_F(TypedJobs, results_are_typed_too) {
  const auto engine = make();
  engine->on<Plain>([](const Plain& job) -> Result<Total> { return Total{job.n + 1}; });
  start(*engine);
  const Job done = wait(*engine, engine->enqueue(Plain{4}).value());
  EXPECT_EQ(done.result, R"({"sum":5})");
  EXPECT_EQ(result_of<Total>(done).value().sum, 5);
  EXPECT_THAT(result_of<Plain>(done).error().message, HasSubstr("sum: there is no such field"));
  Job without = done;
  without.result.clear();
  EXPECT_EQ(result_of<Total>(without).error().code, ErrorCode::not_found);
}

TEST_F(TypedJobs, errors_and_exceptions_of_a_handler_end_the_job) {
  const auto engine = make();
  engine->on<Plain>([](const Plain& job) -> Result<void> {
    if (job.n == 1) throw std::runtime_error("boom");
    return fail(ErrorCode::io, "no");
  });
  start(*engine);
  EXPECT_EQ(wait(*engine, engine->enqueue(Plain{1}).value()).error->code, "internal");
  EXPECT_EQ(wait(*engine, engine->enqueue(Plain{2}).value()).error->code, "io");
}

TEST_F(TypedJobs, a_foreign_type_is_a_job_by_specialisation) {
  const auto engine = make();
  int seen = 0;
  engine->on<Foreign>([&](const Foreign& job) -> Result<JobOutcome> {
    seen = job.x;
    return JobOutcome{.state = JobState::held, .reason = "look first"};
  });
  start(*engine);
  EXPECT_EQ(wait(*engine, engine->enqueue(Foreign{3}).value()).state, JobState::held);
  EXPECT_EQ(seen, 3);
}

TEST_F(TypedJobs, recurring_jobs_are_typed_too) {
  const auto engine = make();
  int seen = 0;
  engine->on<Plain>([&](const Plain& job) -> Result<void> {
    seen = job.n;
    return {};
  });
  start(*engine);
  ASSERT_TRUE(engine->upsert_recurring(Plain{8}, {.id = "clean-up", .phrase = "every 10 minutes"}));
  ASSERT_TRUE(engine->upsert_recurring(report(), {.id = "report", .phrase = "never"}));
  const auto list = engine->list_recurring().value();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1].spec.queue, "mail");
  EXPECT_EQ(list[1].spec.name, "Report to ada@example.org");
  EXPECT_EQ(wait(*engine, engine->run_now("clean-up", Origin::api).value()).state, JobState::succeeded);
  EXPECT_EQ(seen, 8);
}

}  // namespace
}  // namespace sluice::jobs
