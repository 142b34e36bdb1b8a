#include "api/event_change.h"

#include <gtest/gtest.h>

namespace sluice::api {
namespace {

TEST(EventChange, names_topics_and_jobs_once) {
  EventChange change;
  EXPECT_TRUE(change.empty());
  change.add(ChangeNotice{.jobs = true, .job = JobId(3)});
  change.add(ChangeNotice{.definitions = true, .job = JobId(3)});
  EXPECT_EQ(change.json(), R"({"topics":["jobs","definitions"],"jobs":["3"]})");
}

TEST(EventChange, too_many_jobs_become_any) {
  EventChange change;
  for (int i = 1; i <= 200; ++i) change.add(ChangeNotice{.jobs = true, .job = JobId(i)});
  EXPECT_EQ(change.json(), R"({"topics":["jobs"],"jobs":null})");
}

TEST(EventChange, merging_keeps_both) {
  EventChange a, b;
  a.add(ChangeNotice{.jobs = true, .job = JobId(1)});
  b.add(ChangeNotice{.jobs = true});
  b.add(ChangeNotice{.loaders = true});
  a.add(b);
  EXPECT_EQ(a.json(), R"({"topics":["jobs","loaders"],"jobs":null})");
  a.clear();
  EXPECT_TRUE(a.empty());
}

}  // namespace
}  // namespace sluice::api
