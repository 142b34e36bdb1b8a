// What is shown of a broken line, and what is not.
#include "definition/excerpt.h"

#include "definition/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::definition {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string shown(std::string_view text, int line, int column = 1) {
  return excerpt_at(text, {"x.yaml", line, column}).text;
}

TEST(Excerpt, is_the_line_with_the_caret_under_the_place) {
  const auto excerpt = excerpt_at("name: A\nschedule: evry day\n", {"x.yaml", 2, 11});
  EXPECT_EQ(excerpt.text, "schedule: evry day");
  EXPECT_EQ(excerpt.caret, 11);
}

TEST(Excerpt, counts_characters_not_bytes) {
  const auto excerpt = excerpt_at("descripción: Zürich x", {"x.yaml", 1, 21});
  EXPECT_EQ(excerpt.caret, 21);
}

TEST(Excerpt, is_empty_where_there_is_no_line) {
  EXPECT_EQ(excerpt_at("a: 1\n", {"x.yaml", 0, 0}).text, "");
  EXPECT_EQ(excerpt_at("a: 1\n", {"x.yaml", 9, 1}).text, "");
  EXPECT_EQ(excerpt_at("", {"x.yaml", 1, 1}).text, "");
}

TEST(Excerpt, leaves_secrets_out) {
  EXPECT_EQ(shown("    password: hunter2", 1), "    password: ***");
  EXPECT_EQ(shown("    pasword: hunter2", 1), "    pasword: ***") << "a slip shows no more";
  EXPECT_EQ(shown("auth: {token: hunter2, x: 1}", 1), "auth: ***");
  EXPECT_EQ(shown("  basic: {user: a, passwd: 'hunter2, x', z: 1}", 1), "  basic: ***");
  EXPECT_EQ(shown("{name: q, api_key: hunter2, in: query}", 1), "{name: q, api_key: ***, in: query}");
  EXPECT_EQ(shown("  \"X-Auth-Token\": \"hunter2\"", 1), "  \"X-Auth-Token\": ***");
  EXPECT_EQ(shown("connectionString: Server=x;Password=hunter2", 1), "connectionString: ***");
  EXPECT_EQ(shown("url: https://me:hunter2@example.org/a?key=hunter2", 1),
            "url: https://***@example.org/a?key=***");
  EXPECT_EQ(shown("source: {url: 'https://example.org/a?key=hunter2', x: 1}", 1),
            "source: {url: 'https://example.org/a?key=***', x: 1}");
}

TEST(Excerpt, leaves_out_what_stands_below_a_secret) {
  const char* block = "source:\n  auth:\n    token: >-\n      hunter2\n      hunter3\n  url: x\n";
  EXPECT_EQ(shown(block, 4), "      ***");
  EXPECT_EQ(shown(block, 5), "      ***");
  EXPECT_EQ(shown(block, 6), "  url: x");
  EXPECT_EQ(shown("headers:\n  X-Anything: hunter2\n", 2), "  X-Anything: ***");
  EXPECT_EQ(shown("  password: \"hun\nter2\"\n", 2), "***") << "a quoted text that goes on";
  EXPECT_EQ(shown("  password:\n  hunter2\n", 2), "  ***");
}

TEST(Excerpt, shows_references_and_ordinary_keys) {
  EXPECT_EQ(shown("  token: ${env:RATES_TOKEN}", 1), "  token: ${env:RATES_TOKEN}");
  EXPECT_EQ(shown("  token: \"${env:RATES_TOKEN}\"", 1), "  token: \"${env:RATES_TOKEN}\"");
  for (const char* line :
       {"key: [id, code]", "schedule: every day at 2am", "load: {mode: sync, vanished: delete}",
        "source: {file: ../data/x.json}", "name: Country", "target: {table: user}", "sorce: x"}) {
    EXPECT_EQ(shown(line, 1), line);
  }
}

TEST(Excerpt, long_lines_are_cut_around_the_place) {
  const std::string line = "name: " + std::string(500, 'a') + "HERE" + std::string(500, 'b');
  const auto excerpt = excerpt_at(line, {"x.yaml", 1, 507});
  EXPECT_LE(excerpt.text.size(), 220u);
  EXPECT_THAT(excerpt.text, HasSubstr("HERE"));
  // The caret still points at it.
  EXPECT_EQ(excerpt.text.find("HERE"), static_cast<std::size_t>(excerpt.caret) - 1 + 2)
      << "an ellipsis has three bytes";
}

TEST(Excerpt, every_problem_of_a_check_has_its_line) {
  const auto result = check(
      {make_source_file("A.loader.yaml", "name: A\nschedule: evry day\nsource: {file: a.json}\nkey: id\n"),
       make_source_file("B.loader.yaml",
                        "name: B\nsource:\n  url: http://x/\n  auth: {tokn: hunter2}\nkey: id\n")},
      {.root = "/nowhere", .allow_any_path = true});
  ASSERT_FALSE(result.files[0].problems.empty());
  EXPECT_EQ(result.files[0].problems[0].excerpt, "schedule: evry day");
  EXPECT_EQ(result.files[0].problems[0].caret, result.files[0].problems[0].place.column);
  ASSERT_FALSE(result.files[1].problems.empty());
  for (const auto& problem : result.problems) EXPECT_THAT(problem.excerpt, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace sluice::definition
