#include "fetch/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::fetch {
namespace {

struct Case {
  std::string_view pattern, name;
  bool expected;
};

TEST(Glob, matches_as_the_shell_does) {
  const Case cases[] = {
      {"*", "a.csv", true},
      {"*", ".hidden", false},
      {".*", ".hidden", true},
      {"*.csv", "a.csv", true},
      {"*.csv", "a.csv.gz", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"[abc].x", "b.x", true},
      {"[abc].x", "d.x", false},
      {"[a-c].x", "b.x", true},
      {"[!a-c].x", "b.x", false},
      {"[!a-c].x", "z.x", true},
      {"[]].x", "].x", true},
      {"[a", "[a", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"**", "abc", true},
      {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "a-b-b-c-", false},
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"[a-]x", "-x", true},
      {"?", ".", false},
      {"[.]x", ".x", false},
  };
  for (const auto& [pattern, name, expected] : cases)
    EXPECT_EQ(matches(pattern, name), expected) << pattern << " against " << name;
}

TEST(Glob, many_stars_do_not_explode) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern, std::string(5000, 'a') + "b"));
}

TEST(Glob, the_fixed_folder_ends_before_the_first_pattern) {
  EXPECT_EQ(fixed_folder("/a/b*/c/*.csv"), "/a");
  EXPECT_EQ(fixed_folder("/a/b/c.csv"), "/a/b");
  EXPECT_EQ(fixed_folder("/*.csv"), "/");
}

}  // namespace
}  // namespace sluice::fetch
