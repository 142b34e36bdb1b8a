// What is sent to get a source is shown by no command, log or file, also where the other side repeats it.
#include "acceptance/site.h"
#include "fetch/http_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace sluice::test {
namespace {

using fetch::test::HttpServer;
using fetch::test::SeenRequest;
using testing::HasSubstr;

struct Echo {
  const char* name;
  const char* status;
  std::string (*body)(const std::string& line, const std::string& token);
};

std::string json_text(const std::string& text) { return Json(text).dump(); }

const Echo kEchoes[] = {
    {"loaded", "200 OK", [](const std::string&, const std::string&) { return std::string("[{\"id\":1}]"); }},
    {"refused", "401 Unauthorized",
     [](const std::string& line, const std::string& token) { return json_text(line + " " + token); }},
    {"broken_json", "200 OK",
     [](const std::string& line, const std::string& token) {
       return "[{\"id\":1},{\"id\":2 " + json_text(line + " " + token) + "]";
     }},
    {"rejected", "200 OK",
     [](const std::string& line, const std::string& token) {
       return "[{\"id\":1,\"v\":1},{\"id\":2,\"v\":" + json_text(line + " " + token) + "}]";
     }},
};
void PrintTo(const Echo& echo, std::ostream* out) { *out << echo.name; }

class Secrets : public testing::TestWithParam<Echo> {};

TEST_P(Secrets, are_never_shown) {
  const std::string token = "tok\"en/ab\\cd0123";
  const std::string key = "p4thK3y";
  const HttpServer server([&](const SeenRequest& request, int, const HttpServer::Reply& reply) {
    reply.answer(GetParam().status, {"Content-Type: application/json"},
                 GetParam().body(request.line, "Bearer " + token));
    return true;
  });
  const Site site;
  ::setenv("SECRETS_TOKEN", token.c_str(), 1);
  ::setenv("SECRETS_PATH", ("v1/" + key).c_str(), 1);
  site.write_loader("Things",
                    fmt::format("name: Things\nschedule: manual\nkey: id\ncolumns: {{id: int64, v: int64}}\n"
                                "source:\n  url: \"{}/${{env:SECRETS_PATH}}/x.json\"\n"
                                "  auth: {{token: \"${{env:SECRETS_TOKEN}}\"}}\n  retry: {{limit: 0}}\n",
                                server.url()));
  std::string seen;
  for (const auto& words : std::vector<std::vector<std::string>>{{"check", "--json"},
                                                                 {"show", "Things"},
                                                                 {"plan", "Things"},
                                                                 {"run", "Things", "--log-level", "debug"},
                                                                 {"history", "--json"},
                                                                 {"show", "1", "--json"}}) {
    const auto done = site.sluice(words);
    seen += done.out + done.err;
  }
  EXPECT_THAT(seen, HasSubstr("/***/x.json")) << "the rest of the URL says which source it is";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(site.path() / "data")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    seen += std::string(std::istreambuf_iterator<char>(file), {});
  }
  for (const std::string& secret : {key, std::string("cd0123"), std::string("en/ab")}) {
    const auto at = seen.find(secret);
    EXPECT_EQ(at, std::string::npos) << secret
                                     << " in: " << seen.substr(at - std::min<std::size_t>(at, 200), 300);
  }
}

INSTANTIATE_TEST_SUITE_P(Answers, Secrets, testing::ValuesIn(kEchoes),
                         [](const auto& echo) { return std::string(echo.param.name); });

}  // namespace
}  // namespace sluice::test
