#include "english_cron/schedule.h"
#include "tables.h"

#include <gtest/gtest.h>

namespace english_cron::test {
namespace {

// "0 9 * * 1 | 0 17 * * 5", or "every 2 weeks @1970-01-05T09:00:00+01:00", or both joined by " & ".
std::string text_of(const Translation& translation) {
  std::string out;
  for (const std::string& cron : translation.crons) out += (out.empty() ? "" : " | ") + cron;
  if (translation.every) {
    const Interval& every = *translation.every;
    out += (out.empty() ? "every " : " & every ") + std::to_string(every.n) + " " +
           std::string(to_string(every.unit)) + " @" + format_local(every.anchor, translation.zone);
  }
  return out;
}

std::vector<std::chrono::sys_seconds> sample(const Translation& translation) {
  const auto schedule = Schedule::compile(translation);
  if (!schedule) return {};
  std::vector<std::chrono::sys_seconds> out;
  for (const int year : {2026, 2027, 2028}) {
    const std::chrono::sys_seconds from{std::chrono::sys_days(std::chrono::year(year) / 3 / 27)};
    const auto some = schedule->between(from, from + std::chrono::days(4000), 60);
    out.insert(out.end(), some.begin(), some.end());
  }
  // The repeated hours of autumn: fixed times run once, intervals twice.
  const std::chrono::sys_seconds overlap{std::chrono::sys_days(std::chrono::year(2026) / 10 / 24) +
                                         std::chrono::hours(23)};
  const auto repeated = schedule->between(overlap, overlap + std::chrono::hours(4), 20000);
  out.insert(out.end(), repeated.begin(), repeated.end());
  return out;
}

TEST(Phrases, every_row_of_the_table_translates_as_stated) {
  const auto rows = read_table("phrases.tsv", 4);
  EXPECT_GE(rows.size(), 2600U);
  for (const Row& row : rows) {
    SCOPED_TRACE("phrases.tsv:" + std::to_string(row.line) + ": " + row.cells[0]);
    const auto got = translate(row.cells[0]);
    if (!got) {
      ADD_FAILURE() << got.error().offset << ": " << got.error().message;
      continue;
    }
    EXPECT_EQ(text_of(*got), row.cells[1]);
    EXPECT_EQ(got->zone, row.cells[2].empty() ? "UTC" : row.cells[2]);
    EXPECT_EQ(got->exact, row.cells[3] != "approximate");
    EXPECT_EQ(got->exact || !got->warnings.empty(), true) << "what is not exact must be warned of";
  }
}

TEST(Phrases, english_read_back_translates_to_the_same_schedule) {
  for (const Row& row : read_table("phrases.tsv", 4)) {
    SCOPED_TRACE("phrases.tsv:" + std::to_string(row.line) + ": " + row.cells[0]);
    for (const char* zone : {"UTC", "Europe/Zurich"}) {
      const auto first = translate(row.cells[0], {.zone = zone, .anchor = {}});
      ASSERT_TRUE(first);
      const auto again = translate(first->english);
      if (!again) {
        ADD_FAILURE() << first->english << ": " << again.error().offset << ": " << again.error().message;
        continue;
      }
      EXPECT_EQ(again->never(), first->never());
      EXPECT_EQ(sample(*again), sample(*first)) << first->english;
      EXPECT_EQ(explain(*again), first->english);
    }
  }
}

TEST(Refusals, every_row_of_the_table_is_refused_at_its_place) {
  const auto rows = read_table("refusals.tsv", 3);
  EXPECT_GE(rows.size(), 780U);
  for (const Row& row : rows) {
    SCOPED_TRACE("refusals.tsv:" + std::to_string(row.line) + ": " + row.cells[0]);
    const auto got = translate(row.cells[0]);
    if (got) {
      ADD_FAILURE() << "accepted as " << text_of(*got);
      continue;
    }
    EXPECT_EQ(std::to_string(got.error().offset), row.cells[1]);
    EXPECT_LE(got.error().offset + got.error().length, row.cells[0].size());
    EXPECT_NE(got.error().message.find(row.cells[2]), std::string::npos) << got.error().message;
  }
}

TEST(Refusals, input_over_256_characters_is_refused) {
  EXPECT_TRUE(translate("every day at 9am" + std::string(240, ' ')));
  const auto got = translate("every day at 9am" + std::string(241, ' '));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().offset, 256U);
}

TEST(Refusals, an_unknown_word_suggests_the_nearest_one) {
  const auto got = translate("every mnday at 9am");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().offset, 6U);
  EXPECT_EQ(got.error().length, 5U);
  EXPECT_EQ(got.error().suggestion, "monday");
}

TEST(Zones, the_phrase_wins_over_the_option) {
  const TranslateOptions options{.zone = "Asia/Tokyo", .anchor = {}};
  EXPECT_EQ(translate("daily at 2am", options)->zone, "Asia/Tokyo");
  EXPECT_EQ(translate("daily at 2am UTC", options)->zone, "UTC");
  EXPECT_TRUE(translate("daily at 2am UTC", options)->zone_in_phrase);
  EXPECT_TRUE(is_known_zone("europe/zurich"));
  EXPECT_TRUE(is_known_zone("UTC-03:30"));
  EXPECT_FALSE(is_known_zone("Europe/Zurch"));
  EXPECT_FALSE(is_known_zone(""));
}

TEST(Intervals, an_anchor_in_the_options_makes_days_exact) {
  const std::chrono::sys_seconds anchor{std::chrono::sys_days(std::chrono::year(2026) / 1 / 5)};
  const auto got = translate("every 3 days", {.zone = "UTC", .anchor = anchor});
  ASSERT_TRUE(got && got->every);
  EXPECT_TRUE(got->exact);
  EXPECT_EQ(got->every->anchor, anchor);
}

}  // namespace
}  // namespace english_cron::test
