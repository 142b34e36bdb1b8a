#include "base/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace sluice {
namespace {

using namespace std::chrono_literals;

TEST(Clock, utc_text_has_fractions_only_when_there_are_any) {
  EXPECT_EQ(format_utc(Timestamp{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_utc(Timestamp(1'767'605'400'250'000us)), "2026-01-05T09:30:00.25Z");
  EXPECT_EQ(format_utc(Timestamp(-1us)), "1969-12-31T23:59:59.999999Z");
}

TEST(ManualClock, moves_only_when_told_and_counts_what_was_slept) {
  ManualClock clock(Timestamp(5s));
  clock.advance(2s);
  EXPECT_EQ(clock.now(), Timestamp(7s));
  EXPECT_TRUE(clock.sleep_for(1500ms, {}));
  EXPECT_EQ(clock.now(), Timestamp(8'500ms));
  EXPECT_EQ(clock.slept(), 1500ms);
  clock.set(Timestamp(1s));
  EXPECT_EQ(clock.now(), Timestamp(1s));
}

TEST(Clock, a_sleep_ends_when_stop_is_requested) {
  SystemClock clock;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(clock.sleep_for(std::chrono::hours(1), stop.get_token()));
  ManualClock manual;
  EXPECT_FALSE(manual.sleep_for(1s, stop.get_token()));
  EXPECT_EQ(manual.slept(), 0ms);
}

}  // namespace
}  // namespace sluice
