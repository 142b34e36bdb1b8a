// sluice undo and the page's button: one bad load is taken back, and the next tick does not bring it again.
#include "acceptance/serving.h"

#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::HasSubstr;

class UndoCommand : public testing::Test {
 protected:
  UndoCommand() {
    site_.write_loader("Aa",
                       "name: Aa\nschedule: every day at 2am\nsource: ../a.csv\nkey: id\nload: {vanished: "
                       "delete}\nguards: {maxDeletes: 100%}\n");
    good();
  }
  void good() const { site_.write("a.csv", "id,name\n1,a\n2,b\n"); }
  void bad() const { site_.write("a.csv", "id,name\n1,x\n3,c\n"); }
  std::vector<std::string> rows() const { return site_.query("select id, name from aa order by id"); }
  Site site_;
};

TEST_F(UndoCommand, takes_a_run_back_and_tells_what_it_did) {
  ASSERT_EQ(site_.run("Aa").exit_code, 0);
  const auto before = rows();
  bad();
  ASSERT_EQ(site_.run("Aa").exit_code, 0);
  ASSERT_NE(rows(), before);
  const auto undone = site_.sluice({"undo", "2", "--json"});
  EXPECT_EQ(undone.exit_code, 0) << undone.err;
  const auto receipt = json_lines(undone.out).at(0);
  expect_balanced(receipt);
  EXPECT_EQ(receipt.at("loader"), "Aa");
  EXPECT_EQ(receipt.at("inserted"), 1);
  EXPECT_EQ(receipt.at("updated"), 1);
  EXPECT_EQ(receipt.at("deleted"), 1);
  EXPECT_EQ(rows(), before);
  EXPECT_THAT(site_.sluice({"changes", "3"}).out, HasSubstr("x -> a"));
  good();
  EXPECT_EQ(site_.run("Aa").receipt.at("unchanged"), 2);

  const auto twice = site_.sluice({"undo", "2"});
  EXPECT_EQ(twice.exit_code, 1);
  EXPECT_THAT(twice.err + twice.out, HasSubstr("already, by job 3"));
  EXPECT_EQ(site_.sluice({"undo", "Aa"}).exit_code, 2);
  EXPECT_EQ(site_.sluice({"undo", "99"}).exit_code, 2);
}

TEST_F(UndoCommand, on_the_page_it_pauses_the_loader) {
  Serving serving(site_);
  ASSERT_TRUE(serving.until_succeeded("Aa"));
  const auto before = rows();
  bad();
  const auto id = serving.run("Aa");
  ASSERT_EQ(serving.ended(id).at("state"), "succeeded");
  EXPECT_EQ(serving.get("/api/v1/jobs/" + id).at("actions"), Json::array({"undo"}));
  const auto answer = http_post(serving.port(), "/api/v1/jobs/" + id + "/undo");
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 202) << answer->body;
  const auto undone = serving.ended(Json::parse(answer->body).at("job").get<std::string>());
  EXPECT_EQ(undone.at("state"), "succeeded") << undone;
  EXPECT_EQ(undone.at("kind"), "undo");
  EXPECT_EQ(undone.at("receipt").at("updated"), 1);
  EXPECT_EQ(rows(), before);
  const auto loader = serving.get("/api/v1/loaders/Aa");
  EXPECT_TRUE(loader.at("paused").get<bool>());

  const auto kept = site_.sluice({"undo", id, "--keep-running"});
  EXPECT_EQ(kept.exit_code, 1) << "it is taken back already";
  EXPECT_EQ(http_post(serving.port(), "/api/v1/jobs/999/undo")->status, 404);
}

}  // namespace
}  // namespace sluice::test
