// `sluice cron`, word for word (DESIGN, section 3): keys and their order, refusals, --stdin.
#include "acceptance/site.h"

#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Cron : public testing::Test {
 protected:
  std::vector<Json> cron(std::vector<std::string> words, int exit_code = 0) {
    words.insert(words.begin(), {"cron", "--json"});
    const auto finished = site_.sluice(words);
    EXPECT_EQ(finished.exit_code, exit_code) << testing::PrintToString(words) << finished.err;
    return json_lines(finished.out);
  }
  Site site_;
};

TEST_F(Cron, answers_with_the_promised_object) {
  const auto finished = site_.sluice({"cron", "every weekday at 9:30am", "--zone", "Europe/Zurich", "--from",
                                      "2026-01-03", "--count", "2", "--json"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.out,
            R"({"phrase":"every weekday at 9:30am","ok":true,"crons":["30 9 * * 1-5"],"every":null,)"
            R"("zone":"Europe/Zurich","exact":true,"english":"at 09:30 on weekdays in Europe/Zurich",)"
            R"("next":["2026-01-05T09:30:00+01:00","2026-01-06T09:30:00+01:00"],"warnings":[]})"
            "\n");
}

TEST_F(Cron, gives_true_intervals_as_every) {
  const auto answer = cron({"every 7 minutes", "--from", "2026-01-05T00:00:00Z", "--count", "1"}).at(0);
  EXPECT_EQ(answer.at("every").dump(), R"({"n":7,"unit":"minutes","anchor":"1970-01-05T00:00:00Z"})");
  EXPECT_TRUE(answer.at("exact").get<bool>());
  const auto days = cron({"every 3 days"}).at(0);
  EXPECT_FALSE(days.at("exact").get<bool>());
  EXPECT_FALSE(days.at("warnings").empty());
}

TEST_F(Cron, takes_never_and_blank_as_no_times) {
  for (const std::string phrase : {"never", "", "  "}) {
    const auto answer = cron({phrase}).at(0);
    EXPECT_EQ(answer.at("phrase"), phrase);
    EXPECT_EQ(answer.at("ok"), true);
    EXPECT_TRUE(answer.at("next").empty());
  }
}

TEST_F(Cron, refuses_with_the_place_and_the_word) {
  const auto answer = cron({"every day at noonish"}, 2).at(0);
  EXPECT_THAT(keys_of(answer), ElementsAre("phrase", "ok", "error"));
  EXPECT_THAT(keys_of(answer.at("error")), ElementsAre("offset", "length", "message", "suggestion"));
  EXPECT_EQ(answer.at("ok"), false);
  EXPECT_EQ(answer.at("error").at("offset"), 13);
  EXPECT_EQ(answer.at("error").at("length"), 7);
  const auto words = site_.sluice({"cron", "every day at noonish"});
  EXPECT_EQ(words.exit_code, 2);
  EXPECT_THAT(words.err, HasSubstr("             ^^^^^^^"));
}

TEST_F(Cron, counts_the_start_only_when_told) {
  const std::string from = "2026-01-05T00:00:00Z";
  EXPECT_EQ(cron({"@daily", "--from", from, "--count", "1"}).at(0).at("next").at(0),
            "2026-01-06T00:00:00+00:00");
  EXPECT_EQ(cron({"@daily", "--from", from, "--count", "1", "--inclusive"}).at(0).at("next").at(0),
            "2026-01-05T00:00:00+00:00");
  EXPECT_TRUE(cron({"@daily", "--count", "0"}).at(0).at("next").empty());
}

TEST_F(Cron, reads_start_times_in_the_zone_unless_they_say) {
  for (const std::string from :
       {"2026-01-05", "2026-01-05T00:00", "2026-01-05T00:00:00+01:00", "2026-01-04T23:00:00Z"}) {
    EXPECT_EQ(cron({"@daily", "--zone", "Europe/Zurich", "--from", from, "--count", "1", "--inclusive"})
                  .at(0)
                  .at("next")
                  .at(0),
              "2026-01-05T00:00:00+01:00")
        << from;
  }
}

TEST_F(Cron, refuses_times_and_zones_that_are_none) {
  for (const std::string from : {"tomorrow", "2026-13-01", "2026-02-30", "2026-01-05T25:00", "2026-01- 5",
                                 "2026-+1-05", "2026-01-05T+1:00", "2026-01-05T10:00:00Z junk", ""}) {
    if (from.empty()) continue;
    const auto finished = site_.sluice({"cron", "@daily", "--from", from});
    EXPECT_EQ(finished.exit_code, 2) << from << finished.out;
    EXPECT_THAT(finished.err, HasSubstr("is not a time")) << from;
  }
  const auto zone = site_.sluice({"cron", "@daily", "--zone", "Mars/Olympus"});
  EXPECT_EQ(zone.exit_code, 2);
  EXPECT_THAT(zone.err, HasSubstr("Mars/Olympus"));
  EXPECT_EQ(site_.sluice({"cron", "@daily", "--count", "-1"}).exit_code, 2);
}

TEST_F(Cron, takes_a_phrase_without_quotes_and_several_with) {
  EXPECT_EQ(cron({"every", "day", "at", "2am"}).size(), 1U);
  const auto two = cron({"every day at 2am", "every hour"});
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[1].at("phrase"), "every hour");
  EXPECT_EQ(cron({"@daily", "@hourly"}).size(), 2U);
}

TEST_F(Cron, ands_the_days_with_a_warning) {
  const auto answer = cron({"0 0 13 * 5", "--from", "2026-01-01", "--count", "2"}).at(0);
  EXPECT_THAT(answer.at("next"), ElementsAre("2026-02-13T00:00:00+00:00", "2026-03-13T00:00:00+00:00"));
  EXPECT_EQ(answer.at("warnings").size(), 1U);
}

TEST_F(Cron, reads_lines_with_zone_and_start) {
  const auto finished = site_.sluice_with_input(
      {"cron", "--stdin", "--json", "--count", "1", "--from", "2026-01-01"},
      "@daily\n@daily\tEurope/Zurich\n@daily\tEurope/Zurich\t2026-07-01\r\n@daily\t\t2026-03-01\n\n"
      "every\\tday\nevery blue moon\n@hourly");
  EXPECT_EQ(finished.exit_code, 2) << "one phrase was refused";
  const auto lines = json_lines(finished.out);
  ASSERT_EQ(lines.size(), 8U) << finished.out;
  EXPECT_EQ(lines[0].at("next").at(0), "2026-01-02T00:00:00+00:00");
  EXPECT_EQ(lines[1].at("zone"), "Europe/Zurich");
  EXPECT_EQ(lines[2].at("next").at(0), "2026-07-02T00:00:00+02:00");
  EXPECT_EQ(lines[3].at("next").at(0), "2026-03-02T00:00:00+00:00");
  EXPECT_EQ(lines[4].at("phrase"), "");
  EXPECT_EQ(lines[5].at("phrase"), "every\tday");
  EXPECT_EQ(lines[6].at("ok"), false);
  EXPECT_EQ(lines[7].at("phrase"), "@hourly") << "the last line needs no line end";
}

TEST_F(Cron, goes_on_after_a_line_it_cannot_read) {
  // One answer per line, whatever the line is: a reader counts on it.
  const auto finished = site_.sluice_with_input({"cron", "--stdin", "--json"},
                                                "@daily\tMars/Olympus\n@daily\tUTC\tyesterday\n@hourly\n");
  EXPECT_EQ(finished.exit_code, 2);
  EXPECT_EQ(json_lines(finished.out).size(), 3U) << finished.out;
}

TEST_F(Cron, standard_input_that_cannot_be_read_is_an_error_not_the_end) {
  const auto finished = run({"sh", "-c", "exec '" + sluice_program() + "' cron --stdin < ."}, site_.path());
  EXPECT_EQ(finished.exit_code, 3) << finished.out << finished.err;
  EXPECT_NE(finished.err.find("standard input"), std::string::npos) << finished.err;
}

}  // namespace
}  // namespace sluice::test
