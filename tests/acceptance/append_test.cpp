// Appends without a key: what the last run has added is never added again, whatever changes around it.
#include "acceptance/site.h"
#include "fetch/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::test {
namespace {

using testing::HasSubstr;
using Rows = std::vector<std::string>;

class Append : public testing::Test {
 protected:
  void load(const std::string& sources) const {
    site_.write_loader("Log", "name: Log\nschedule: manual\nload: {mode: append}\n" + sources);
  }
  Json run() const {
    const auto planned = json_lines(site_.sluice({"plan", "Log", "--json"}).out).at(0);
    auto run = site_.run("Log");
    EXPECT_EQ(run.exit_code, 0) << run.receipt.dump();
    for (const auto* part :
         {"read", "inserted", "notModified", "rowsBefore", "rowsAfter", "notes", "guards"}) {
      EXPECT_EQ(planned.at(part), run.receipt.at(part)) << part << " as planned";
    }
    expect_balanced(run.receipt);
    return run.receipt;
  }
  Rows rows() const { return site_.query("select id from log order by id"); }
  Site site_;
};

TEST_F(Append, a_new_file_of_a_pattern_is_added_alone) {
  load("source: {file: ../in/*.csv, minimumExpectedRecords: 2}\n");
  site_.write("in/1.csv", "id\n1\n2\n");
  EXPECT_EQ(run()["inserted"], 2);
  site_.write("in/2.csv", "id\n3\n");
  const auto more = run();
  EXPECT_EQ(more["read"], 1);
  EXPECT_EQ(more["inserted"], 1);
  EXPECT_THAT(more["notes"].dump(), HasSubstr("1 of 2 files were added by the last run"));
  EXPECT_EQ(rows(), (Rows{"1", "2", "3"}));
  std::filesystem::remove(site_.path() / "in/1.csv");
  EXPECT_EQ(run()["notModified"], 1) << "nothing new in what is left";
  EXPECT_EQ(run()["notModified"], 1);
  EXPECT_EQ(rows(), (Rows{"1", "2", "3"}));
}

TEST_F(Append, a_changed_source_is_added_alone) {
  load("sources: [{file: ../1.csv}, {file: ../2.csv}]\n");
  site_.write("1.csv", "id\n1\n");
  site_.write("2.csv", "id\n2\n");
  EXPECT_EQ(run()["inserted"], 2);
  site_.write("2.csv", "id\n3\n");
  EXPECT_EQ(run()["inserted"], 1);
  EXPECT_EQ(rows(), (Rows{"1", "2", "3"}));
}

TEST_F(Append, sources_in_another_order_or_with_names_are_the_same_bytes) {
  load("sources: [{file: ../1.csv}, {file: ../2.csv}]\n");
  site_.write("1.csv", "id\n1\n");
  site_.write("2.csv", "id\n2\n");
  EXPECT_EQ(run()["inserted"], 2);
  load("sources: [{file: ../2.csv}, {file: ../1.csv}]\n");
  EXPECT_EQ(run()["read"], 0);
  load("sources: [{file: ../1.csv, name: one}, {file: ../2.csv, name: two}]\n");
  EXPECT_EQ(run()["read"], 0);
  EXPECT_EQ(rows(), (Rows{"1", "2"}));
}

TEST_F(Append, an_answer_that_another_token_brings_is_the_same_bytes) {
  const fetch::test::HttpServer server(
      [](const fetch::test::SeenRequest&, int, const fetch::test::HttpServer::Reply& reply) {
        reply.answer("200 OK", {"Content-Type: text/csv"}, "id\n1\n");
        return true;
      });
  const auto sources = [&](const std::string& token) {
    return "sources: [{url: \"" + server.url() + "/1.csv\", auth: {token: " + token +
           "}}, {file: ../2.csv}]\n";
  };
  load(sources("first-token"));
  site_.write("2.csv", "id\n2\n");
  EXPECT_EQ(run()["inserted"], 2);
  load(sources("second-token"));
  site_.write("2.csv", "id\n3\n");
  EXPECT_EQ(run()["inserted"], 1);
  EXPECT_EQ(rows(), (Rows{"1", "2", "3"}));
}

}  // namespace
}  // namespace sluice::test
