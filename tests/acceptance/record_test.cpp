// sluice changes and sluice rejects: what a run left behind, told on a terminal and for machines.
#include "acceptance/site.h"

#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Records : public testing::Test {
 protected:
  Records() {
    site_.write_loader("Aa",
                       "name: Aa\nschedule: manual\nsource: {file: ../a.csv}\nkey: id\n"
                       "columns: {id: int64, name: text, n: int64}\nload: {vanished: delete}\n"
                       "guards: {maxDeletes: 90%, maxShrink: 90%, maxRejects: 90%}\n");
  }
  // The number of the job.
  std::string load(const std::string& csv) {
    site_.write("a.csv", "id,name,n\n" + csv);
    const auto run = site_.run("Aa");
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return run.receipt.at("job").get<std::string>();
  }
  Site site_;
};

TEST_F(Records, changes_tells_each_row_with_before_and_after) {
  const auto first = load("1,a,5\n2,b,6\n3,c,7\n");
  EXPECT_EQ(site_.sluice({"changes", first}).out, "+ first load\n    rows: 3\n");
  const auto second = load("1,a,5\n2,b2,6\n4,\x1b[31mred,\n");
  EXPECT_EQ(site_.sluice({"changes", second}).out,
            "- id=3\n    name: c\n    n: 7\n"
            "~ id=2\n    name: b -> b2\n"
            "+ id=4\n    name:  [31mred\n")
      << "in the order in which they were made; nothing a source sent commands the terminal";
  const auto lines = json_lines(site_.sluice({"changes", second, "--json"}).out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1].dump(), R"({"op":"update","key":[{"name":"id","value":2}],)"
                             R"("columns":[{"name":"name","before":"b","after":"b2"}]})");
  const auto cut = site_.sluice({"changes", second, "--limit", "1"});
  EXPECT_EQ(cut.out, "- id=3\n    name: c\n    n: 7\n");
  EXPECT_THAT(cut.err, HasSubstr("--limit"));
  const auto third = load("1,a,5\n2,b2,6\n4,\x1b[31mred,\n");
  const auto none = site_.sluice({"changes", third});
  EXPECT_THAT(none.out, IsEmpty());
  EXPECT_THAT(none.err, HasSubstr("left no changes"));
}

TEST_F(Records, changes_of_more_than_a_page_are_all_told) {
  std::string before, after;
  for (int i = 0; i < 1700; ++i) {
    before += std::to_string(i) + ",a,1\n";
    after += std::to_string(i) + ",a,2\n";
  }
  load(before);
  const auto job = load(after);
  EXPECT_EQ(json_lines(site_.sluice({"changes", job, "--json"}).out).size(), 1000u);
  EXPECT_EQ(json_lines(site_.sluice({"changes", job, "--json", "--limit", "5000"}).out).size(), 1700u);
}

TEST_F(Records, rejects_are_listed_by_loader_and_by_job) {
  const auto first = load("1,a,5\n2,b,x6\n");
  const auto listed = site_.sluice({"rejects", "list", "Aa"});
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_THAT(listed.out, HasSubstr("a.csv, line 3, column n: \"x6\" is not an int64"));
  EXPECT_THAT(listed.out, HasSubstr("2,b,x6"));
  load("1,a,5\n2,b,6\n");
  EXPECT_THAT(site_.sluice({"rejects", "list"}).err, HasSubstr("No rejects that are still open"));
  EXPECT_THAT(site_.sluice({"rejects", "list", "--all"}).out, HasSubstr("Aa (fixed)"));
  const auto of_job = json_lines(site_.sluice({"rejects", "list", first, "--json"}).out);
  ASSERT_EQ(of_job.size(), 1u);
  EXPECT_EQ(of_job[0].at("code"), "notANumber");
  EXPECT_EQ(of_job[0].at("status"), "fixed");
}

TEST_F(Records, a_limit_says_when_it_left_something_out) {
  load("1,a,x5\n2,b,x6\n3,c,1\n");
  const auto both = site_.sluice({"rejects", "list", "--limit", "2", "--json"});
  EXPECT_EQ(json_lines(both.out).size(), 2u);
  EXPECT_THAT(both.err, IsEmpty());
  const auto one = site_.sluice({"rejects", "export", "Aa", "--limit", "1"});
  EXPECT_EQ(json_lines(one.out).size(), 1u);
  EXPECT_THAT(one.err, HasSubstr("and more"));
}

TEST_F(Records, a_data_folder_that_is_none_is_an_error_and_not_empty) {
  for (const auto& words : {std::vector<std::string>{"history"}, {"jobs", "list"}, {"changes", "1"}}) {
    auto command = words;
    command.insert(command.end(), {"--data", "a.csv"});
    site_.write("a.csv", "id\n");
    const auto ended = site_.sluice(command);
    EXPECT_EQ(ended.exit_code, 3) << words[0] << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("is not a folder"));
  }
}

TEST_F(Records, rejects_of_a_loader_whose_file_is_gone_or_broken_are_listed) {
  load("1,a,5\n2,b,x\n3,c,7\n");
  site_.write_loader("Aa", "name: Aa\nschedule: [\n");
  EXPECT_THAT(site_.sluice({"rejects", "list", "Aa"}).out, HasSubstr("Aa"));
  std::filesystem::remove(site_.definitions() / "Aa.loader.yaml");
  const auto listed = site_.sluice({"rejects", "list", "Aa"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("Aa"));
  EXPECT_NE(site_.sluice({"rejects", "list", "Never"}).exit_code, 0);
}

TEST_F(Records, exported_rejects_are_whole) {
  const std::string is_long(5000, 'y');
  load("1,a,5\n2," + is_long + ",x6\n");
  const auto listed = json_lines(site_.sluice({"rejects", "list", "--json"}).out);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_TRUE(listed[0].at("rawCut"));
  const auto exported = json_lines(site_.sluice({"rejects", "export", "Aa"}).out);
  ASSERT_EQ(exported.size(), 1u);
  EXPECT_FALSE(exported[0].at("rawCut"));
  EXPECT_EQ(exported[0].at("raw"), "2," + is_long + ",x6");
}

TEST_F(Records, what_is_not_there_is_named) {
  load("1,a,5\n");
  const struct {
    std::vector<std::string> words;
    std::string told;
  } cases[] = {
      {{"changes", "99"}, "there is no job 99"},           {{"changes", "Aa"}, "is not a job's number"},
      {{"changes", "0"}, "is not a job's number"},         {{"changes"}, "sluice changes JOB"},
      {{"rejects", "list", "Ab"}, "did you mean \"Aa\"?"}, {{"rejects", "list", "99"}, "there is no job 99"},
      {{"rejects", "Aa"}, "sluice rejects list Aa"},       {{"rejects"}, "\"what\" is missing"},
  };
  for (const auto& one : cases) {
    const auto ended = site_.sluice(one.words);
    EXPECT_EQ(ended.exit_code, 2) << one.told;
    EXPECT_THAT(ended.err, HasSubstr(one.told));
    EXPECT_THAT(ended.out, IsEmpty());
  }
}

}  // namespace
}  // namespace sluice::test
