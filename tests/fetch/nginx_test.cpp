// What a server that most of the world runs really sends: ETags it weakens, dates, stored compression, TLS.
#include "fetch/nginx.h"

#include "fetch/fixture.h"
#include "fetch/gzip_text.h"
#include "fetch/url.h"
#include "fetch/variable.h"

#include <memory>

namespace sluice::fetch::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kLocations = R"(
    location /on-the-fly/ { alias www/plain/; gzip on; gzip_min_length 1; gzip_types text/csv; }
    location /dated/ { alias www/plain/; etag off; }
    location /bare/ { alias www/plain/; etag off; if_modified_since off; add_header Last-Modified ""; }
    location /stored/ { gzip_static on; }
    location /labelled/ { alias www/stored/; add_header Content-Encoding gzip; }
    location /echo { default_type text/csv; return 200 "auth=$http_authorization key=$http_x_api_key args=$args"; }
    location /to-echo { return 302 /echo?from=redirect; }
    location /to-plain-http { return 302 http://localhost:$arg_port/echo; }
    location /status/413 { return 413; }
    location /status/414 { return 414; }
    location /status/451 { return 451; }
    location /status/425 { return 425; }
    location /status/206 { return 206 "part"; }
    location /status/303 { return 303 /echo; }
    location /dead-backend { proxy_pass http://127.0.0.1:1; }
)";

std::string parse_port(const std::string& url) { return parse_url(url)->port; }

class RealServer : public FetchTest {
 protected:
  void SetUp() override {
    if (!Nginx::installed()) GTEST_SKIP() << "nginx is not installed (scripts/packages.sh test)";
    text_ = "id,name\n";
    for (int i = 0; i < 2000; ++i) text_ += std::to_string(i) + ",name of the row\n";
    write("nginx/www/plain/data.csv", text_);
    write("nginx/www/stored/data.csv", "not this one");
    write("nginx/www/stored/data.csv.gz", gzip(text_));
    nginx_ = std::make_unique<Nginx>(folder_ / "nginx", std::string(kLocations));
  }
  SourceSpec once(std::string url) const {
    auto source = http(std::move(url));
    source.retry.limit = 0;
    return source;
  }

  std::string text_;
  std::unique_ptr<Nginx> nginx_;
};

TEST_F(RealServer, says_not_modified_by_etag_weak_etag_and_date) {
  // Files written this second have no Last-Modified that can be trusted.
  std::filesystem::last_write_time(folder_ / "nginx/www/plain/data.csv",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  for (const std::string_view path : {"/plain/data.csv", "/on-the-fly/data.csv", "/dated/data.csv"}) {
    const auto first = get(once(nginx_->http(path)));
    ASSERT_TRUE(first) << first.error().describe();
    EXPECT_EQ(bytes_of(first->items[0]), text_) << path;
    const auto again = get(once(nginx_->http(path)), validators(*first));
    ASSERT_TRUE(again) << again.error().describe();
    EXPECT_TRUE(again->not_modified) << path;
    EXPECT_TRUE(again->items.empty()) << path << ": a 304 has no body";
  }
  EXPECT_THAT(get(once(nginx_->http("/plain/data.csv")))->items[0].validators.etag, StartsWith("\""));
  const auto packed = get(once(nginx_->http("/on-the-fly/data.csv")));
  EXPECT_THAT(packed->items[0].validators.etag, StartsWith("W/\""));
  EXPECT_LT(packed->bytes, static_cast<std::int64_t>(text_.size() / 2));
  EXPECT_EQ(get(once(nginx_->http("/dated/data.csv")))->items[0].validators.etag, "");
}

TEST_F(RealServer, a_changed_file_is_never_taken_for_the_old_one) {
  for (const std::string_view path :
       {"/plain/data.csv", "/on-the-fly/data.csv", "/dated/data.csv", "/bare/data.csv"}) {
    write("nginx/www/plain/data.csv", text_);
    const auto first = get(once(nginx_->http(path)));
    ASSERT_TRUE(first) << first.error().describe();
    auto other = text_;
    other.back() = ' ';  // the same size, within the same second
    write("nginx/www/plain/data.csv", other);
    const auto again = get(once(nginx_->http(path)), validators(*first));
    ASSERT_TRUE(again) << again.error().describe();
    // nginx makes its ETag of second and size: what it says is as exact as HTTP can be there.
    if (path == "/plain/data.csv" || path == "/on-the-fly/data.csv") continue;
    EXPECT_FALSE(again->not_modified) << path;
    EXPECT_EQ(bytes_of(again->items[0]), other) << path;
  }
}

TEST_F(RealServer, without_validators_the_bytes_decide) {
  const auto first = get(once(nginx_->http("/bare/data.csv")));
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(first->items[0].validators.etag + first->items[0].validators.last_modified, "");
  const auto again = get(once(nginx_->http("/bare/data.csv")), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->not_modified);
  EXPECT_EQ(again->items.size(), 1u);
}

TEST_F(RealServer, stored_compression_is_undone_as_often_as_it_was_done) {
  // data.csv asked for, data.csv.gz sent with its encoding named: once, and it is the CSV.
  EXPECT_EQ(bytes_of(get(once(nginx_->http("/stored/data.csv")))->items[0]), text_);
  // The .gz itself: the file as it is; decoding looks at its first bytes.
  EXPECT_EQ(bytes_of(get(once(nginx_->http("/stored/data.csv.gz")))->items[0]), gzip(text_));
  // The .gz, which the server calls an encoding as well.
  EXPECT_EQ(bytes_of(get(once(nginx_->http("/labelled/data.csv.gz")))->items[0]), text_);
}

TEST_F(RealServer, an_untrusted_certificate_is_said_plainly_and_a_named_one_is_trusted) {
  const auto error = error_of(get(http(nginx_->https("/plain/data.csv"))));
  EXPECT_EQ(error.code, ErrorCode::unreachable);
  EXPECT_FALSE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("self-signed certificate"));
  EXPECT_THAT(error.message, HasSubstr("SSL_CERT_FILE"));
  const Variable trust("CURL_CA_BUNDLE", nginx_->certificate());
  const auto trusted = get(once(nginx_->https("/plain/data.csv")));
  const auto other_name = error_of(get(once(nginx_->https("/plain/data.csv", "127.0.0.1"))));
  ASSERT_TRUE(trusted) << trusted.error().describe();
  EXPECT_EQ(bytes_of(trusted->items[0]), text_);
  EXPECT_EQ(other_name.code, ErrorCode::unreachable);
  EXPECT_THAT(other_name.message, HasSubstr("127.0.0.1"));
}

TEST_F(RealServer, credentials_stay_behind_when_https_leads_to_http) {
  const Variable trust("CURL_CA_BUNDLE", nginx_->certificate());
  const auto plain = parse_port(nginx_->http(""));
  auto source = once(nginx_->https("/to-plain-http?port=" + plain));
  source.auth.kind = AuthSpec::Kind::bearer;
  source.auth.token = Secret("bearer-secret");
  source.headers = {{"X-Api-Key", "key-secret"}};
  const auto leaked = get(source);
  source.url = nginx_->https("/to-echo");
  const auto kept = get(source);
  ASSERT_TRUE(leaked) << leaked.error().describe();
  EXPECT_EQ(bytes_of(leaked->items[0]), "auth= key= args=");
  ASSERT_TRUE(kept) << kept.error().describe();
  EXPECT_EQ(bytes_of(kept->items[0]), "auth=Bearer bearer-secret key=key-secret args=from=redirect");
  EXPECT_THAT(log_, Not(HasSubstr("secret")));
}

TEST_F(RealServer, statuses_are_told_apart) {
  for (const std::string_view path : {"/status/413", "/status/414", "/status/451", "/status/206"}) {
    const auto error = error_of(get(http(nginx_->http(path))));
    EXPECT_FALSE(error.retryable) << path;
    EXPECT_THAT(error.message, HasSubstr(path.substr(8))) << path;
    EXPECT_THAT(error.message, Not(HasSubstr("tried"))) << path;
  }
  for (const std::string_view path : {"/status/425", "/dead-backend"}) {
    const auto error = error_of(get(http(nginx_->http(path))));
    EXPECT_TRUE(error.retryable) << path;
    EXPECT_THAT(error.message, HasSubstr("tried 5 times")) << path;
  }
  EXPECT_TRUE(get(once(nginx_->http("/status/303"))));
}

}  // namespace
}  // namespace sluice::fetch::test
