// The small rules on their own: Retry-After, jitter, masking, URLs, web pages.
#include "fetch/html_page.h"
#include "fetch/retry.h"
#include "fetch/secret_mask.h"
#include "fetch/url.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::fetch {
namespace {

using std::chrono::milliseconds;

constexpr Timestamp kNow{std::chrono::seconds(1767614400)};  // 2026-01-05T12:00:00Z

TEST(RetryAfter, reads_seconds_and_dates_and_takes_the_rest_for_no_hint) {
  EXPECT_EQ(parse_retry_after("120", kNow), milliseconds(120'000));
  EXPECT_EQ(parse_retry_after(" 1 ", kNow), milliseconds(1000));
  EXPECT_EQ(parse_retry_after("Mon, 05 Jan 2026 12:01:00 GMT", kNow), milliseconds(60'000));
  for (const std::string_view none : {"", "0", "000", "-1", "soon", "1.5", "Mon, 05 Jan 2026 12:00:00 GMT",
                                      "Mon, 05 Jan 2026 11:59:59 GMT"})
    EXPECT_EQ(parse_retry_after(none, kNow), std::nullopt) << none;
  EXPECT_EQ(parse_retry_after("99999999999999999999999", kNow), milliseconds(std::chrono::hours(24 * 365)));
  EXPECT_EQ(parse_retry_after("9223372036854775807", kNow), milliseconds(std::chrono::hours(24 * 365)));
}

TEST(RetryBudget, doubles_up_to_its_maximum_and_ends) {
  RetrySpec spec;
  spec.limit = 4;
  spec.base = milliseconds(100);
  spec.max = milliseconds(300);
  RetryBudget budget(spec, [] { return 0.5; });
  EXPECT_EQ(budget.spend({}), milliseconds(50));
  EXPECT_EQ(budget.spend({}), milliseconds(100));
  EXPECT_EQ(budget.spend({}), milliseconds(150));
  EXPECT_TRUE(budget.left());
  EXPECT_EQ(budget.spend(milliseconds(900)), milliseconds(900));
  EXPECT_FALSE(budget.left());
}

TEST(RetryBudget, a_hint_is_never_cut_short_and_back_off_never_undercut) {
  RetrySpec spec;
  spec.base = milliseconds(1000);
  RetryBudget budget(spec, [] { return 0.9; });
  EXPECT_EQ(budget.spend(milliseconds(5)), milliseconds(900));
}

TEST(SecretMask, hides_every_form_and_leaves_short_words) {
  SecretMask mask;
  mask.add("a/b c?d");
  mask.add("ab");
  EXPECT_EQ(mask.apply("x a/b c?d y"), "x *** y");
  EXPECT_EQ(mask.apply("x a%2Fb%20c%3Fd y"), "x *** y");
  EXPECT_EQ(mask.apply("x a%2fb%20c%3fd y"), "x *** y");
  EXPECT_EQ(mask.apply("Basic " + base64("a/b c?d")), "Basic ***");
  EXPECT_EQ(mask.apply("cab"), "cab");
}

TEST(SecretMask, hides_what_json_makes_of_it) {
  SecretMask mask;
  mask.add("a\"b/c\\d=");
  EXPECT_EQ(mask.apply(R"({"x":"a\"b/c\\d=","y":"a\"b\/c\\d="})"), R"({"x":"***","y":"***"})");
}

TEST(SecretMask, hides_what_a_cut_has_left_of_it) {
  SecretMask mask;
  mask.add("0123456789");
  EXPECT_EQ(mask.apply_to_cut("it says: …56789 and 0123…"), "it says: …*** and ***…");
  EXPECT_EQ(mask.apply_to_cut("01234 …, 0123456789…; 4567"), "01234 …, ***…; 4567");
}

TEST(SecretMask, a_secret_inside_another_does_not_tear_it) {
  SecretMask mask;
  mask.add("pass");
  mask.add("user:password");
  EXPECT_EQ(mask.apply("user:password"), "***");
}

TEST(SecretMask, base64_is_as_published) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Url, is_split_and_loses_what_must_not_travel) {
  const auto url = parse_url("HTTPS://me:p%20w@Example.ORG/a b?x=1#frag");
  ASSERT_TRUE(url) << url.error().describe();
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, "443");
  EXPECT_EQ(url->user, "me");
  EXPECT_EQ(url->password, "p w");
  EXPECT_EQ(url->text.find("me"), std::string::npos);
  EXPECT_EQ(url->text.find("frag"), std::string::npos);
  EXPECT_NE(url->text.find("/a%20b?x=1"), std::string::npos) << url->text;
}

TEST(Url, resolves_locations_as_browsers_do) {
  const auto base = *parse_url("https://h/a/b?q=1");
  EXPECT_EQ(resolve_url(base, "c")->text, "https://h/a/c");
  EXPECT_EQ(resolve_url(base, "/c?d")->text, "https://h/c?d");
  EXPECT_EQ(resolve_url(base, "//other/c")->text, "https://other/c");
  EXPECT_EQ(resolve_url(base, "http://u:p@other:81/c#f")->text, "http://other:81/c");
  EXPECT_EQ(resolve_url(base, "http://u:p@other/")->user, "") << "a redirect does not choose who we are";
  EXPECT_FALSE(resolve_url(base, "http://"));
  EXPECT_FALSE(resolve_url(base, "ftp://other/c"));
}

TEST(Url, credentials_stay_on_their_origin_and_never_go_from_https_to_http) {
  const auto same = [](std::string_view a, std::string_view b) {
    return same_origin(*parse_url(a), *parse_url(b));
  };
  EXPECT_TRUE(same("https://h/a", "https://H:443/b"));
  EXPECT_TRUE(same("http://h/a", "https://h/b"));
  EXPECT_FALSE(same("https://h/a", "http://h/a"));
  EXPECT_FALSE(same("http://h:8080/a", "https://h/a"));
  EXPECT_FALSE(same("http://h:8080/a", "http://h/a"));
  EXPECT_FALSE(same("https://h/a", "https://h.evil/a"));
  EXPECT_FALSE(same("https://h/a", "https://www.h/a"));
}

TEST(WebPage, is_told_by_how_it_begins) {
  EXPECT_EQ(web_page_kind("text/html", "<!DOCTYPE html><p>Log in"), PageKind::login);
  EXPECT_EQ(web_page_kind("", "\xEF\xBB\xBF \n<HTML><body>hello"), PageKind::page);
  EXPECT_EQ(web_page_kind("text/html", "<head><title>x"), PageKind::page);
  EXPECT_EQ(web_page_kind("application/xml", "<?xml version='1.0'?><html xmlns=''>"), PageKind::page);
  EXPECT_EQ(web_page_kind("application/xml", "<?xml version='1.0'?><rates>"), PageKind::none);
  EXPECT_EQ(web_page_kind("text/html", "id,name\n1,<html>"), PageKind::none);
  EXPECT_EQ(web_page_kind("text/csv", "<head>,b"), PageKind::none);
  EXPECT_EQ(web_page_kind("text/html", ""), PageKind::none);
}

}  // namespace
}  // namespace sluice::fetch
