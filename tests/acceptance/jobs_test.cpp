// sluice jobs: the command line changes what a running service works at, and what waits for one.
#include "acceptance/serving.h"

#include <gmock/gmock.h>

#include <csignal>

namespace sluice::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class JobsCommand : public testing::Test {
 protected:
  JobsCommand() {
    site_.write("a.csv", "id,name\n1,a\n");
    site_.write_loader("Aa", "name: Aa\nschedule: every day at 2am\nsource: {file: ../a.csv}\nkey: id\n");
    site_.write_loader("Gone",
                       "name: Gone\nschedule: every day at noon\nsource: {file: ../gone.csv}\nkey: id\n");
  }
  std::string sluice(const std::vector<std::string>& words) const {
    const auto ended = site_.sluice(words);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return ended.out;
  }
  Site site_;
};

TEST_F(JobsCommand, enqueues_for_a_service_that_runs) {
  Serving serving(site_);
  ASSERT_TRUE(serving.until_succeeded("Aa"));
  const auto done = json_lines(sluice({"jobs", "enqueue", "Aa", "--json"}));
  ASSERT_EQ(done.size(), 1u);
  const auto job = serving.ended(done[0].at("job").get<std::string>());
  EXPECT_EQ(job.at("state"), "succeeded");
  EXPECT_EQ(job.at("startedBy"), "the command line");
  const auto listed =
      json_lines(sluice({"jobs", "list", "--loader", "Aa", "--state", "succeeded", "--json"}));
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].at("id"), job.at("id")) << "the newest first";
}

TEST_F(JobsCommand, what_is_enqueued_without_a_service_waits_for_one) {
  {
    Serving serving(site_);
    ASSERT_TRUE(serving.until_succeeded("Aa"));
    serving.expect_clean_stop();
  }
  const auto enqueued = site_.sluice({"jobs", "enqueue", "Aa"});
  EXPECT_EQ(enqueued.exit_code, 0);
  EXPECT_THAT(enqueued.err, HasSubstr("waits for sluice serve"));
  EXPECT_EQ(json_lines(sluice({"jobs", "list", "--state", "enqueued", "--json"})).size(), 1u);
  Serving serving(site_);
  EXPECT_TRUE(serving.until_succeeded("Aa", 2));
}

TEST_F(JobsCommand, pauses_and_resumes_a_schedule) {
  Serving serving(site_);
  ASSERT_TRUE(serving.until_succeeded("Aa"));
  sluice({"jobs", "pause", "Gone", "--reason", "the source is being moved"});
  EXPECT_TRUE(serving.get("/api/v1/loaders/Gone").at("paused").get<bool>());
  sluice({"jobs", "resume", "Gone"});
  EXPECT_FALSE(serving.get("/api/v1/loaders/Gone").at("paused").get<bool>());
}

TEST_F(JobsCommand, cancels_what_waits_and_retries_what_was_cancelled) {
  Serving serving(site_);
  const auto gone = [&] {
    return json_lines(sluice({"jobs", "list", "--loader", "Gone", "--limit", "1", "--json"}));
  };
  ASSERT_TRUE(serving.until([&] { return !gone().empty() && gone()[0].at("state") == "failed"; }));
  const auto id = gone()[0].at("id").get<std::string>();
  const auto late = site_.sluice({"jobs", "cancel", id});
  EXPECT_NE(late.exit_code, 0);
  EXPECT_THAT(late.err, HasSubstr("has ended already: failed"));
  serving.expect_clean_stop();
  sluice({"jobs", "retry", id});
  EXPECT_EQ(gone()[0].at("state"), "enqueued");
  EXPECT_THAT(sluice({"jobs", "cancel", id, "--reason", "no use"}), HasSubstr("deleted"));
  EXPECT_EQ(gone()[0].at("state"), "deleted");
  EXPECT_THAT(sluice({"show", id}), HasSubstr("no use"));
}

TEST_F(JobsCommand, a_service_that_was_killed_is_not_taken_for_one_that_works) {
  {
    Serving serving(site_);
    ASSERT_TRUE(serving.until_succeeded("Aa"));
    serving.process().signal(SIGKILL);
    serving.process().wait();
  }
  EXPECT_THAT(site_.sluice({"jobs", "enqueue", "Aa"}).err, HasSubstr("waits for sluice serve"));
}

TEST_F(JobsCommand, enqueues_nothing_for_a_definition_that_went) {
  {
    Serving serving(site_);
    ASSERT_TRUE(serving.until_succeeded("Aa"));
    serving.expect_clean_stop();
  }
  std::filesystem::remove(site_.definitions() / "Aa.loader.yaml");
  const auto ended = site_.sluice({"jobs", "enqueue", "Aa"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("there is no loader or job \"Aa\""));
}

TEST_F(JobsCommand, a_reason_commands_no_terminal) {
  Serving serving(site_);
  ASSERT_TRUE(serving.until_succeeded("Aa"));
  serving.expect_clean_stop();
  const auto done = json_lines(sluice({"jobs", "enqueue", "Aa", "--json"}));
  const auto id = done.at(0).at("job").get<std::string>();
  sluice({"jobs", "cancel", id, "--reason", "x\n\x1b[31mred"});
  for (const auto& words : {std::vector<std::string>{"jobs", "list"}, {"show", id}, {"history"}})
    EXPECT_THAT(sluice(words), Not(HasSubstr("\x1b")));
}

TEST_F(JobsCommand, does_what_it_can_and_names_the_rest) {
  {
    Serving serving(site_);
    ASSERT_TRUE(serving.until_succeeded("Aa"));
    serving.expect_clean_stop();
  }
  const auto some = site_.sluice({"jobs", "enqueue", "Ab", "Aa"});
  EXPECT_EQ(some.exit_code, 2);
  EXPECT_THAT(some.err, HasSubstr("did you mean \"Aa\"?"));
  EXPECT_THAT(some.out, HasSubstr("Aa: job"));
  const struct {
    std::vector<std::string> words;
    std::string told;
  } cases[] = {
      {{"jobs"}, "sluice jobs ACTION"},
      {{"jobs", "lst"}, "did you mean \"list\"?"},
      {{"jobs", "list", "Aa"}, "--loader Aa"},
      {{"jobs", "list", "--state", "broken"}, "use scheduled, enqueued"},
      {{"jobs", "list", "--limit", "0"}, "from 1 to 1000"},
      {{"jobs", "retry"}, "wants the numbers of jobs"},
      {{"jobs", "retry", "1", "--state", "failed"}, "--state is not for jobs retry"},
      {{"jobs", "enqueue", "Aa", "--reason", "x"}, "--reason is not for jobs enqueue"},
      {{"jobs", "list", "--loader", ""}, "empty"},
      {{"jobs", "retry", "999"}, "there is no job 999 in"},
      {{"jobs", "retry", "Aa"}, "not a job's number"},
      {{"jobs", "cancel", "999"}, "there is no job 999"},
      {{"jobs", "pause", "Zzz"}, "there is no loader or job \"Zzz\""},
      {{"jobs", "retry", "1", "--data", "nowhere"}, "nothing has run in nowhere yet"},
  };
  for (const auto& one : cases) {
    const auto ended = site_.sluice(one.words);
    EXPECT_EQ(ended.exit_code, 2) << one.told << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(one.told));
    EXPECT_THAT(ended.out, IsEmpty());
  }
}

TEST_F(JobsCommand, lists_pauses_and_limits_queues) {
  sluice({"run", "Aa"});
  EXPECT_EQ(sluice({"jobs", "pause", "--queue", "default", "--reason", "moving house"}),
            "queue default: paused\n");
  EXPECT_EQ(sluice({"jobs", "limit", "--queue", "default", "--most", "3"}), "queue default: limited to 3\n");
  EXPECT_EQ(
      sluice({"jobs", "queues"}),
      "default: 0 waiting, 0 scheduled, 0 running of 3 at most; paused by the command line: moving house\n");
  EXPECT_EQ(sluice({"jobs", "resume", "--queue", "default"}), "queue default: resumed\n");
  EXPECT_EQ(sluice({"jobs", "limit", "--queue", "default"}), "queue default: not limited\n");
  EXPECT_EQ(sluice({"jobs", "queues"}), "default: 0 waiting, 0 scheduled, 0 running\n");
}

}  // namespace
}  // namespace sluice::test
