#include "service/loader_schedule.h"

#include <gtest/gtest.h>

namespace sluice::service {
namespace {

const Timestamp kNoon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(12);

definition::LoaderDefinition loader(RunOnStartup when, const std::string& phrase = "every day at 2am") {
  definition::LoaderDefinition made;
  made.spec.name = "Country";
  made.spec.schedule.phrase = phrase;
  made.spec.schedule.timezone = "UTC";
  made.spec.schedule.run_on_startup = when;
  made.schedule = english_cron::translate(phrase).value();
  return made;
}

TEST(LoaderSchedule, if_never_loaded_runs_until_it_has_loaded_once) {
  EXPECT_TRUE(runs_now(loader(RunOnStartup::if_never_loaded), {}, true, kNoon));
  EXPECT_TRUE(runs_now(loader(RunOnStartup::if_never_loaded), {}, false, kNoon));
  EXPECT_FALSE(runs_now(loader(RunOnStartup::if_never_loaded), {.ever_loaded = true, .last_finished = {}},
                        true, kNoon));
}

TEST(LoaderSchedule, always_runs_at_each_start_but_not_at_each_reload) {
  const LoaderPast loaded{.ever_loaded = true, .last_finished = {}};
  EXPECT_TRUE(runs_now(loader(RunOnStartup::always), loaded, true, kNoon));
  EXPECT_FALSE(runs_now(loader(RunOnStartup::always), loaded, false, kNoon));
}

TEST(LoaderSchedule, if_missed_compares_the_last_tick_with_the_last_run) {
  const auto one = loader(RunOnStartup::if_missed);
  EXPECT_TRUE(runs_now(one, {}, true, kNoon));
  EXPECT_TRUE(
      runs_now(one, {.ever_loaded = true, .last_finished = kNoon - std::chrono::hours(30)}, true, kNoon));
  EXPECT_FALSE(
      runs_now(one, {.ever_loaded = true, .last_finished = kNoon - std::chrono::hours(9)}, true, kNoon));
}

TEST(LoaderSchedule, manual_and_disabled_loaders_do_not_start_by_themselves) {
  auto manual = loader(RunOnStartup::if_never_loaded);
  manual.spec.schedule.manual = true;
  EXPECT_FALSE(runs_now(manual, {}, true, kNoon));
  auto disabled = loader(RunOnStartup::always);
  disabled.spec.enabled = false;
  EXPECT_FALSE(runs_now(disabled, {}, true, kNoon));
  EXPECT_FALSE(runs_now(loader(RunOnStartup::never), {}, true, kNoon));
}

TEST(LoaderSchedule, the_engine_gets_retry_missed_and_anchor_as_defined) {
  definition::LoaderDefinition loader;
  LoaderSpec& spec = loader.spec;
  spec.name = "Country";
  spec.schedule.phrase = "every 3 days";
  spec.schedule.timezone = "Europe/Zurich";
  spec.schedule.anchor = "2026-01-05T00:00:00Z";
  spec.schedule.missed = Missed::all;
  spec.schedule.retry.limit = 7;
  spec.schedule.timeout = std::chrono::minutes(30);
  spec.schedule.retry.exponential = false;
  loader.pacing = {.overlap = definition::Overlap::queue_one, .jitter = std::chrono::seconds(30)};
  const auto recurring = recurring_spec(loader);
  EXPECT_EQ(recurring.overlap, jobs::Overlap::queue_one);
  EXPECT_EQ(recurring.jitter, std::chrono::seconds(30));
  EXPECT_EQ(recurring.id, "load:Country");
  EXPECT_EQ(recurring.zone, "Europe/Zurich");
  EXPECT_EQ(recurring.missed, jobs::Missed::all);
  EXPECT_EQ(recurring.retry.limit, 7);
  EXPECT_EQ(recurring.timeout, std::chrono::minutes(30));
  EXPECT_EQ(recurring.retry.backoff, jobs::Backoff::fixed);
  ASSERT_TRUE(recurring.anchor.has_value());
  EXPECT_EQ(*recurring.anchor, std::chrono::sys_days(std::chrono::year(2026) / 1 / 5));
  spec.schedule.manual = true;
  EXPECT_EQ(recurring_spec(loader).phrase, "never");
}

}  // namespace
}  // namespace sluice::service
