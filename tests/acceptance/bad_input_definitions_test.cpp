// Bad input, part 1: definitions. Whatever is wrong with one file, its place and the way out are named,
// nothing that was loaded changes, the other loaders run on, and the mended file runs. (Every message word
// for word: tests/definition/cases. On a running service: bad_input_serve_test.cpp.)
#include "acceptance/site.h"

#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::HasSubstr;

struct Case {
  const char* name;
  std::string text;   // of the damaged Bad.loader.yaml
  int line;           // of the first error; 0 = the file as a whole
  const char* says;   // what is wrong
  const char* to_do;  // what to do about it, "" where the first says it
};

const std::string kHead = "name: Bad\nschedule: manual\nkey: id\n";
const std::string kMended = kHead + "source: ../bad.csv\n";
constexpr const char* kBad = "Bad.loader.yaml";

std::vector<Case> cases() {
  const auto source = [](const std::string& yaml) { return kHead + "source: " + yaml + "\n"; };
  const std::string bomb =
      "tags:\n  - &a [x,x,x,x,x,x,x,x,x,x]\n  - &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
      "  - &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  - &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
      "  - [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
  return {
      {"UnclosedBracket", source("[../bad.csv"), 4, "not valid YAML", "a bracket is not closed"},
      {"TabIndentation", kHead + "source:\n\tfile: ../bad.csv\n", 5, "tab", "spaces"},
      {"DuplicateKeys", kMended + "key: name\n", 5, "key", ""},
      {"UnknownKey", kHead + "sorce: x\n", 4, "unknown key \"sorce\"", "did you mean \"source\"?"},
      {"AliasBomb", kMended + bomb, 8, "alias", ""},
      {"NulByte", source(std::string("a\0b", 3)), 4, "control character 0x00", "no text file"},
      {"InvalidUtf8", source("\"\xff\xfe\x80\""), 4, "UTF-8", ""},
      {"Utf16", std::string("\xff\xfen\0a\0m\0e\0:\0", 12), 1, "UTF-16", "UTF-8"},
      {"Empty", "", 1, "empty", ""},
      {"OnlyText", "Dear Sir or Madam\n", 1, "map", ""},
      {"TooLarge", kMended + "# " + std::string(1u << 20, 'x'), 0, "too large", "1,048,576"},
      {"NoKey", "name: Bad\nschedule: manual\nsource: ../bad.csv\n", 1, "\"key\"", "append"},
      {"Phrase", "name: Bad\nschedule: every blue moon\nkey: id\nsource: ../bad.csv\n", 2, "\"blue\"", ""},
      {"MissingVariable", source("../${env:SLUICE_NOT_SET_1}.csv"), 4, "SLUICE_NOT_SET_1 is not set",
       "default"},
      {"MissingSecretFile", source("{url: \"https://127.0.0.1:1/\", auth: {token: \"${file:no/token}\"}}"), 4,
       "no/token", "starts at the file"},
      {"OutsideTheFolders", source("/etc/passwd"), 4, "outside", "--allow-path /etc"},
      {"MetadataAddress", source("http://169.254.169.254/latest"), 4, "metadata address", "--allow-address"},
      {"HiddenMetadataAddress", source("http://2852039166/latest"), 4, "metadata address", "--allow-address"},
      {"LaterKey", source("{file: ../bad.csv, afterLoad: delete}"), 4,
       "afterLoad: \"delete\" is not available yet", "only keep is"},
      {"KeyFarFromTheColumns", kMended + "columns: {ident: int64}\n", 3, "\"id\"", "to the columns"},
      {"UnknownDataSource", source("{dataSource: shop, path: x}"), 4, "no data source \"shop\"",
       "service file"},
  };
}

class DefinitionSite : public testing::Test {
 protected:
  void SetUp() override {
    site_.write("good.csv", "id,name\n1,a\n");
    site_.write("bad.csv", "id,name\n1,a\n2,b\n");
    site_.write_loader("Good", "name: Good\nschedule: manual\nsource: ../good.csv\nkey: id\n");
    site_.write_loader("Bad", kMended);
    ASSERT_EQ(site_.sluice({"run", "--all", "--quiet"}).exit_code, 0);
  }
  // The first error that `check` tells of a file.
  Json problem_of(const std::string& file) const {
    const auto check = site_.sluice({"check", "--json"});
    EXPECT_EQ(check.exit_code, 2) << check.out;
    const auto lines = json_lines(check.out);
    if (lines.size() != 1) return Json();
    EXPECT_EQ(lines[0].at("ok"), false);
    for (const auto& problem : lines[0].at("problems")) {
      if (problem.at("file") == file && problem.at("severity") == "error") return problem;
    }
    ADD_FAILURE() << "no error of " << file << ": " << check.out;
    return Json();
  }
  void expect_others_run() const {
    const auto good = site_.run("Good");
    EXPECT_EQ(good.exit_code, 0) << good.receipt << good.err;
  }
  Site site_;
};

void PrintTo(const Case& bad, std::ostream* out) { *out << bad.name; }

class BadDefinition : public DefinitionSite, public testing::WithParamInterface<Case> {};

TEST_P(BadDefinition, is_told_by_place_and_harms_nothing) {
  const auto& bad = GetParam();
  site_.write_loader("Bad", bad.text);
  const auto problem = problem_of(kBad);
  ASSERT_TRUE(problem.is_object());
  EXPECT_EQ(problem.at("line"), bad.line) << problem;
  const auto& suggestion = problem.at("suggestion");
  const auto words = problem.at("message").get<std::string>() + "; " +
                     (suggestion.is_null() ? "" : suggestion.get<std::string>());
  EXPECT_THAT(words, HasSubstr(bad.says));
  EXPECT_THAT(words, HasSubstr(bad.to_do));
  // The same for people, with the path as they would open it.
  const auto place =
      "definitions/Bad.loader.yaml:" + (bad.line > 0 ? std::to_string(bad.line) + ":" : " error");
  EXPECT_THAT(site_.sluice({"check", "--quiet"}).err, HasSubstr(place));

  const auto run = site_.run("Bad");
  EXPECT_EQ(run.exit_code, 2) << run.receipt;
  EXPECT_EQ(run.receipt.at("applied"), false);
  EXPECT_EQ(run.receipt.at("error").at("code"), problem.at("code"));
  EXPECT_EQ(run.receipt.at("error").at("file"), kBad);
  EXPECT_EQ(run.receipt.at("error").at("line"), bad.line);
  EXPECT_EQ(site_.sluice({"run", "--all", "--quiet"}).exit_code, 2) << "--all tells of what cannot run";
  expect_others_run();
  EXPECT_EQ(site_.count("bad"), 2) << "what was loaded stays";

  site_.write_loader("Bad", kMended);
  site_.write("bad.csv", "id,name\n1,a\n2,b\n3,c\n");
  EXPECT_EQ(site_.sluice({"check"}).exit_code, 0);
  const auto mended = site_.run("Bad");
  EXPECT_EQ(mended.exit_code, 0) << mended.receipt;
  EXPECT_EQ(mended.receipt.at("inserted"), 1);
}

INSTANTIATE_TEST_SUITE_P(Definitions, BadDefinition, testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

// Two that claim one thing: both are named, neither runs, and the one that had it keeps what it loaded.
class TwoOwners : public DefinitionSite {
 protected:
  void expect_both_refused(const std::string& other, const std::string& says) {
    const auto check = json_lines(site_.sluice({"check", "--json"}).out).at(0);
    std::vector<std::string> files;
    for (const auto& problem : check.at("problems")) {
      files.push_back(problem.at("file"));
      EXPECT_THAT(problem.at("message").get<std::string>() + problem.dump(), HasSubstr(says));
    }
    EXPECT_THAT(files, testing::UnorderedElementsAre(kBad, other + ".loader.yaml"));
    EXPECT_EQ(site_.run("Bad").exit_code, 2);
    expect_others_run();
    EXPECT_EQ(site_.count("bad"), 2);
    std::filesystem::remove(site_.definitions() / (other + ".loader.yaml"));
    EXPECT_EQ(site_.run("Bad").exit_code, 0);
    EXPECT_EQ(site_.count("bad"), 2);
  }
};

TEST_F(TwoOwners, of_one_name_are_both_refused) {
  site_.write_loader("Copy", kMended);
  expect_both_refused("Copy", "Bad");
}

TEST_F(TwoOwners, of_one_table_are_both_refused) {
  site_.write_loader("Other", "name: Other\nschedule: manual\nkey: id\nsource: ../bad.csv\ntarget: BAD\n");
  expect_both_refused("Other", "table");
}

class OddDefinition : public DefinitionSite {};

TEST_F(OddDefinition, definitions_that_are_folders_or_dead_links_are_told) {
  std::filesystem::remove(site_.definitions() / kBad);
  std::filesystem::create_directory(site_.definitions() / kBad);
  EXPECT_THAT(problem_of(kBad).at("message").get<std::string>(), HasSubstr("directory"));
  std::filesystem::remove(site_.definitions() / kBad);
  std::filesystem::create_symlink("nowhere", site_.definitions() / kBad);
  EXPECT_THAT(problem_of(kBad).at("message").get<std::string>(), HasSubstr("is a link to \"nowhere\""));
  EXPECT_THAT(site_.sluice({"check"}).err, testing::Not(testing::ContainsRegex("nowhere(.|\n)*nowhere")))
      << "told once";
  expect_others_run();
  EXPECT_EQ(site_.count("bad"), 2);
}

TEST_F(OddDefinition, a_file_whose_name_says_almost_what_it_is_is_not_passed_over) {
  site_.write("definitions/Bed.loder.yaml", "name: Bed\n");
  const auto problem = problem_of("Bed.loder.yaml");
  EXPECT_EQ(problem.at("suggestion"), "did you mean \"Bed.loader.yaml\"?");
  expect_others_run();
}

TEST_F(OddDefinition, a_byte_order_mark_is_no_damage) {
  site_.write_loader("Bad", std::string("\xEF\xBB\xBF") + kMended);
  EXPECT_EQ(site_.sluice({"check"}).exit_code, 0);
  EXPECT_EQ(site_.run("Bad").receipt.at("notModified"), 0) << "another text of the definition: read again";
}

}  // namespace
}  // namespace sluice::test
