#include "base/error.h"

#include "base/id.h"
#include "base/secret.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace sluice {
namespace {

Result<int> number(bool good) {
  if (!good) return fail(ErrorCode::malformed, "not a number", "line 3");
  return 7;
}
Result<std::string> text(bool good) {
  SLUICE_TRY(const int value, number(good));
  SLUICE_CHECK(number(good));
  return std::to_string(value);
}

TEST(Error, travels_up_through_the_macros) {
  EXPECT_EQ(text(true).value(), "7");
  ASSERT_FALSE(text(false));
  EXPECT_EQ(text(false).error().describe(), "line 3: not a number");
}

TEST(Error, context_is_added_outermost_first) {
  const Result<void> outer = fail_within("loader Country", number(false).error());
  EXPECT_EQ(outer.error().describe(), "loader Country: line 3: not a number");
  const Result<void> bare = fail_within("here", Error{ErrorCode::io, true, "", "why", {}});
  EXPECT_EQ(bare.error().describe(), "here: why");
  EXPECT_TRUE(bare.error().retryable);
}

TEST(Error, every_code_has_a_name_of_its_own_and_an_exit_code) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    names.insert(to_string(static_cast<ErrorCode>(code)));
    const int exit_code = exit_code_for(static_cast<ErrorCode>(code));
    EXPECT_GE(exit_code, 1);
    EXPECT_LE(exit_code, 4);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::internal) + 1);
  EXPECT_EQ(exit_code_for(ErrorCode::invalid_definition), 2);
  EXPECT_EQ(exit_code_for(ErrorCode::unreachable), 3);
  EXPECT_EQ(exit_code_for(ErrorCode::guard), 4);
}

TEST(Secret, prints_as_stars) {
  EXPECT_EQ(fmt::format("password {}", Secret("hunter2")), "password ***");
  EXPECT_EQ(Secret("hunter2").reveal(), "hunter2");
}

TEST(Secret, urls_lose_their_user_and_the_values_of_their_query) {
  EXPECT_EQ(mask_url("https://me:pass@host/path?key=1&page=2"), "https://***@host/path?key=***&page=***");
  EXPECT_EQ(mask_url("https://host/a@b"), "https://host/a@b");
  EXPECT_EQ(mask_url("postgres://me:p@ss@host:5432/db"), "postgres://***@host:5432/db");
  EXPECT_EQ(mask_url("plain"), "plain");
  EXPECT_EQ(mask_url("https://[::1]:8080/a@b"), "https://[::1]:8080/a@b");
  EXPECT_EQ(mask_url("https://[::1]/a@b"), "https://[::1]/a@b");
}

TEST(Secret, urls_that_are_written_wrongly_lose_their_password_too) {
  // Not encoded as they should be: / ? and # end the host for every parser.
  for (const std::string_view sign : {"/", "?", "#"})
    EXPECT_EQ(mask_url(fmt::format("https://me:pa{}ss@host/path", sign)), "https://***@host/path") << sign;
  EXPECT_EQ(mask_url("me:pass@host/path"), "***@host/path");  // the scheme was forgotten
}

TEST(Secret, urls_lose_fragments_and_long_words_of_the_query_that_have_no_name) {
  EXPECT_EQ(mask_url("https://host/p#access_token=abc"), "https://host/p#***");
  EXPECT_EQ(mask_url("https://host/p?a=1#token"), "https://host/p?a=***#***");
  EXPECT_EQ(mask_url("https://host/p?json"), "https://host/p?json");
  EXPECT_EQ(mask_url("https://host/p?0123456789abcdef&x=1"), "https://host/p?***&x=***");
}

TEST(Id, none_is_false) {
  EXPECT_FALSE(JobId());
  EXPECT_TRUE(JobId(3));
  EXPECT_LT(JobId(3), JobId(4));
}

}  // namespace
}  // namespace sluice
