// `--database postgres://…`: jobs live in the server, and several nodes share them.
#include "acceptance/serving.h"
#include "support/postgres_server.h"

#include <gmock/gmock.h>

#include <set>

namespace sluice::test {
namespace {

using testing::HasSubstr;

class OnPostgres : public testing::Test {
 protected:
  OnPostgres() {
    site_.write("definitions/x.service.yaml", "name: X\ndatabase: sqlite:../target.db\n");
    site_.write("abc.csv", "id,name\n1,a\n2,b\n3,c\n");
    site_.write_loader("Abc", "name: Abc\nschedule: manual\nsource: {file: ../abc.csv}\nkey: id\n");
  }
  std::vector<std::string> words(std::vector<std::string> words) const {
    words.insert(words.end(), {"--database", server_.url()});
    return words;
  }

  PostgresServer server_;
  Site site_;
};

TEST_F(OnPostgres, a_run_is_kept_in_the_server_and_loads_where_the_service_file_says) {
  const auto run = site_.run("Abc", {"--database", server_.url()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt.at("inserted"), 3);
  EXPECT_EQ(site_.query("select count(*) from abc", "target.db"), std::vector<std::string>{"3"});
  EXPECT_FALSE(std::filesystem::exists(site_.data() / "jobs.db"));
  EXPECT_THAT(site_.sluice(words({"history", "Abc"})).out, HasSubstr("succeeded"));
  EXPECT_THAT(site_.sluice(words({"show", "1"})).out, HasSubstr("processing"));
}

TEST_F(OnPostgres, a_loader_without_another_target_is_told_what_to_do) {
  site_.write("definitions/x.service.yaml", "name: X\n");
  const auto serve = site_.sluice(words({"serve", "definitions", "--listen", "127.0.0.1:0"}));
  EXPECT_EQ(serve.exit_code, 2) << serve.err;
  EXPECT_THAT(serve.err, HasSubstr("Abc"));
  EXPECT_THAT(serve.err, HasSubstr("not available yet"));
  EXPECT_THAT(serve.err, HasSubstr("database: sqlite:PATH"));
}

TEST_F(OnPostgres, nodes_share_one_store_and_go_on_when_one_or_the_server_dies) {
  Serving first(site_, words({"--data", "first"}));
  Serving second(site_, words({"--data", "second"}));
  ASSERT_TRUE(first.until([&] { return first.get("/api/v1/nodes").at("items").size() == 2; }));
  const auto id = second.run("Abc");
  EXPECT_EQ(second.ended(id).at("state"), "succeeded");
  EXPECT_EQ(first.job(id).at("state"), "succeeded") << "both tell of it";
  first.process().signal(SIGKILL);
  const auto after = second.run("Abc");
  EXPECT_EQ(second.ended(after).at("state"), "succeeded");
  server_.restart();
  ASSERT_TRUE(second.until([&] {
    const auto nodes = http_get(second.port(), "/api/v1/nodes");
    return nodes && nodes->status == 200;
  }));
  const auto again = second.run("Abc");
  EXPECT_EQ(second.ended(again).at("state"), "succeeded") << "it goes on after the server came back";
  second.expect_clean_stop();
}

}  // namespace
}  // namespace sluice::test
