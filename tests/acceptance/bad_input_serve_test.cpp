// Bad input, part 4: the same on a running service. It goes on, the others load, the page is told what is
// wrong and where, and a mended file is live by itself.
#include "acceptance/serving.h"

#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::HasSubstr;

class BadInputServed : public testing::Test {
 protected:
  void SetUp() override {
    site_.write("good.csv", "id,name\n1,a\n");
    site_.write("bad.csv", "id,name\n1,a\n2,b\n");
    site_.write_loader("Good", "name: Good\nschedule: manual\nsource: ../good.csv\nkey: id\n");
    site_.write_loader("Bad", mended());
  }
  // Another text each time, so that each mending is seen.
  std::string mended() {
    return "name: Bad\nschedule: {start: manual, retry: 0}\nkey: id\nsource: ../bad.csv\ndescription: "
           "version " +
           std::to_string(++version_) + "\n";
  }
  void expect_others_run(const Serving& service) {
    site_.write("good.csv", "id,name\n1,version" + std::to_string(++version_) + "\n");
    const auto job = service.ended(service.run("Good"));
    EXPECT_EQ(job.at("state"), "succeeded") << job;
    EXPECT_EQ(http_get(service.port(), "/healthz")->status, 200);
  }
  Site site_;
  int version_ = 0;
};

TEST_F(BadInputServed, definitions_leave_the_service_and_the_loader_running) {
  Serving service(site_);
  ASSERT_EQ(service.ended(service.run("Bad")).at("state"), "succeeded");
  const std::string head = "name: Bad\nschedule: manual\nkey: id\n";
  struct Damage {
    std::string text;
    const char* says;
  };
  const std::vector<Damage> damages = {
      {head + "source: [../bad.csv\n", ""},
      {head + "source:\n\tfile: x\n", "tab"},
      {head + std::string("source: a\0b\n", 12), "control character"},
      {head + "source: \"\xff\xfe\"\n", "UTF-8"},
      {"", "empty"},
      {head + "source: \"../${env:SLUICE_NOT_SET_1}\"\n", "SLUICE_NOT_SET_1"},
      {head + "source: ../bad.csv\ntarget: good\n", "good"},
      {head + "source: http://169.254.169.254/\n", "metadata"},
  };
  for (const auto& [text, says] : damages) {
    site_.write_loader("Bad", text);
    ASSERT_TRUE(service.until([&] { return service.definition("Bad.loader.yaml").at("valid") == false; }))
        << says;
    const auto state = service.definition("Bad.loader.yaml");
    EXPECT_EQ(state.at("usingStored"), true) << state;
    EXPECT_THAT(state.at("errors").dump(), HasSubstr(says));
    expect_others_run(service);
    EXPECT_EQ(service.ended(service.run("Bad")).at("state"), "succeeded") << "as it was last accepted";
    EXPECT_EQ(site_.count("bad"), 2);
    site_.write_loader("Bad", mended());
    ASSERT_TRUE(service.until([&] { return service.definition("Bad.loader.yaml").at("valid") == true; }))
        << says;
  }
  EXPECT_EQ(service.ended(service.run("Bad")).at("state"), "succeeded");
  service.expect_clean_stop();
}

TEST_F(BadInputServed, a_copy_of_a_definition_does_not_take_its_place) {
  Serving service(site_);
  ASSERT_EQ(service.ended(service.run("Bad")).at("state"), "succeeded");
  site_.write_loader("Copy", "name: Bad\nschedule: manual\nkey: id\nsource: ../good.csv\n");
  ASSERT_TRUE(service.until([&] { return service.definition("Copy.loader.yaml").at("valid") == false; }));
  EXPECT_THAT(service.definition("Copy.loader.yaml").at("errors").dump(), HasSubstr("Bad.loader.yaml"));
  EXPECT_EQ(service.ended(service.run("Bad")).at("state"), "succeeded");
  EXPECT_EQ(site_.count("bad"), 2);
  service.expect_clean_stop();
}

TEST_F(BadInputServed, sources_fail_their_runs_and_no_other) {
  Serving service(site_);
  ASSERT_EQ(service.ended(service.run("Bad")).at("state"), "succeeded");
  const auto good_bytes = read_text(site_.path() / "bad.csv");
  for (const auto& [text, says] :
       std::vector<std::pair<std::string, std::string>>{{"", "empty"},
                                                        {"ident,name\n1,a\n", "key column"},
                                                        {std::string(700, '\0'), "binary"},
                                                        {"id,name\n1,\"a\n", "quoted field"},
                                                        {"id,name\n", "minimumExpectedRecords"}}) {
    site_.write("bad.csv", text);
    const auto job = service.ended(service.run("Bad"));
    EXPECT_EQ(job.at("state"), "failed") << job;
    EXPECT_THAT(job.at("error").dump(), HasSubstr(says));
    expect_others_run(service);
    EXPECT_EQ(site_.count("bad"), 2) << says;
  }
  site_.write("bad.csv", good_bytes + "3,c\n");
  const auto mended = service.ended(service.run("Bad"));
  EXPECT_EQ(mended.at("state"), "succeeded") << mended;
  EXPECT_EQ(mended.at("receipt").at("inserted"), 1);
  service.expect_clean_stop();
}

}  // namespace
}  // namespace sluice::test
