#include "load/guards.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::load {
namespace {

LoaderSpec loader(LoadMode mode = LoadMode::sync) {
  LoaderSpec made;
  made.name = "Country";
  made.mode = mode;
  made.sources.resize(1);
  return made;
}

std::string verdict_of(const Judgement& judgement, const std::string& guard) {
  const auto found = std::find_if(judgement.verdicts.begin(), judgement.verdicts.end(),
                                  [&](const auto& verdict) { return verdict.guard == guard; });
  return found == judgement.verdicts.end() ? "absent" : found->verdict;
}

TEST(Guards, sync_and_replace_expect_a_record_by_default) {
  const GuardCounts empty{.good = {0}};
  EXPECT_TRUE(judge(loader(LoadMode::sync), empty).breached);
  EXPECT_TRUE(judge(loader(LoadMode::replace), empty).breached);
  EXPECT_FALSE(judge(loader(LoadMode::upsert), empty).breached);
  EXPECT_FALSE(judge(loader(LoadMode::append), empty).breached);
}

TEST(Guards, shares_are_judged_from_fifty_rows_up) {
  const GuardCounts small{.read = 40, .good = {40}, .deletes = 9, .rows_before = 49, .rows_after = 40};
  EXPECT_FALSE(judge(loader(), small).breached);
  const GuardCounts large{.read = 44, .good = {44}, .deletes = 6, .rows_before = 50, .rows_after = 44};
  const auto judgement = judge(loader(), large);
  EXPECT_TRUE(judgement.breached);
  EXPECT_EQ(judgement.message, "maxDeletes: 6 of 50 (12%) rows would be deleted, the limit is 10%");
}

TEST(Guards, a_limit_is_the_most_that_is_allowed) {
  const GuardCounts exact{.read = 90, .good = {90}, .deletes = 10, .rows_before = 100, .rows_after = 90};
  EXPECT_FALSE(judge(loader(), exact).breached);
  auto absolute = loader();
  absolute.guards.max_deletes = Limit{3, false};
  const GuardCounts few{.read = 6, .good = {6}, .deletes = 4, .rows_before = 10, .rows_after = 6};
  EXPECT_TRUE(judge(absolute, few).breached) << "absolute limits count at every size";
}

TEST(Guards, a_share_is_a_share_whatever_doubles_make_of_it) {
  auto deleting = loader();
  for (int percent = 1; percent <= 100; ++percent) {
    for (const int hundreds : {1, 3, 7, 1000}) {
      deleting.guards.max_deletes = Limit{percent / 100.0, true};  // 0.29 * 100 is 28.999999999999996
      const GuardCounts exact{
          .read = 1, .good = {1}, .deletes = percent * hundreds, .rows_before = 100 * hundreds};
      EXPECT_EQ(verdict_of(judge(deleting, exact), "maxDeletes"), "ok") << percent << "% of " << hundreds;
      auto more = exact;
      ++more.deletes;
      EXPECT_EQ(verdict_of(judge(deleting, more), "maxDeletes"), "breached")
          << percent << "% of " << hundreds;
    }
  }
}

TEST(Guards, max_shrink_judges_replacements_too_and_max_deletes_does_not) {
  auto replacing = loader(LoadMode::replace);
  const GuardCounts half{.read = 50, .good = {50}, .deletes = 100, .rows_before = 100, .rows_after = 50};
  EXPECT_FALSE(judge(replacing, half).breached);
  replacing.guards.max_shrink = Limit{0.2, true};
  EXPECT_EQ(verdict_of(judge(replacing, half), "maxShrink"), "breached");
}

TEST(Guards, warnings_let_the_run_go_on) {
  auto warned = loader();
  warned.guards.on_breach = OnBreach::warn;
  const GuardCounts bad{
      .read = 100, .rejected = 50, .good = {50}, .deletes = 90, .rows_before = 100, .rows_after = 10};
  const auto judgement = judge(warned, bad);
  EXPECT_FALSE(judgement.breached);
  EXPECT_EQ(verdict_of(judgement, "maxRejects"), "warned");
  EXPECT_EQ(verdict_of(judgement, "maxDeletes"), "warned");
}

TEST(Guards, nox_minimums_warn_but_an_empty_replacement_still_fails) {
  auto nox = loader(LoadMode::replace);
  nox.guards.minimum_warns = true;
  nox.sources[0].minimum_expected_records = 160;
  const auto short_source = judge(nox, {.read = 117, .good = {117}});
  EXPECT_FALSE(short_source.breached);
  EXPECT_EQ(verdict_of(short_source, "sources[0].minimumExpectedRecords"), "warned");
  EXPECT_TRUE(judge(nox, {.good = {0}}).breached);
}

TEST(Guards, rejects_are_a_share_of_what_was_read) {
  EXPECT_FALSE(judge(loader(), {.read = 1000, .rejected = 10, .good = {990}}).breached);
  EXPECT_TRUE(judge(loader(), {.read = 1000, .rejected = 11, .good = {989}}).breached);
  EXPECT_FALSE(judge(loader(), {.read = 10, .rejected = 5, .good = {5}}).breached);
}

TEST(Guards, a_small_load_of_which_most_was_rejected_is_no_load) {
  auto adding = loader(LoadMode::upsert);
  const auto all = judge(adding, {.read = 3, .rejected = 3, .good = {0}});
  EXPECT_TRUE(all.breached);
  EXPECT_EQ(
      all.message,
      "maxRejects: 3 of 3 (100%) records were rejected, the limit is 1% (of fewer than 50 records: half)");
  EXPECT_TRUE(judge(adding, {.read = 49, .rejected = 25, .good = {24}}).breached);
  EXPECT_FALSE(judge(adding, {.read = 49, .rejected = 24, .good = {25}}).breached);
  EXPECT_FALSE(judge(adding, {.good = {0}}).breached) << "nothing read, nothing rejected";
}

TEST(Guards, a_limit_above_half_counts_for_small_loads_as_it_stands) {
  auto lax = loader(LoadMode::upsert);
  lax.guards.max_rejects = Limit{0.8, true};
  EXPECT_FALSE(judge(lax, {.read = 10, .rejected = 8, .good = {2}}).breached);
  EXPECT_TRUE(judge(lax, {.read = 10, .rejected = 9, .good = {1}}).breached);
  lax.guards.max_rejects = Limit{1, true};
  EXPECT_FALSE(judge(lax, {.read = 10, .rejected = 10, .good = {0}}).breached);
  lax.guards.max_rejects = Limit{5, false};
  EXPECT_FALSE(judge(lax, {.read = 5, .rejected = 5, .good = {0}}).breached)
      << "a count is taken at its word";
  lax.guards.max_rejects.reset();
  EXPECT_FALSE(judge(lax, {.read = 5, .rejected = 5, .good = {0}}).breached) << "off is off";
}

}  // namespace
}  // namespace sluice::load
