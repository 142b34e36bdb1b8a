// Bad input, part 2: sources. A source that is damaged, cut or absent fails its run by name and place,
// changes no row, and is loaded once it is mended. (Over HTTP: http_test.cpp. Names of
// fields: field_names_test.cpp.)
#include "acceptance/packed.h"
#include "acceptance/site.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <functional>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string csv(int rows) {
  std::string text = "id,name\n";
  for (int i = 1; i <= rows; ++i) text += fmt::format("{},n{}\n", i, i);
  return text;
}

std::string ndjson(int rows) {
  std::string text;
  for (int i = 1; i <= rows; ++i) text += fmt::format("{{\"id\":{},\"name\":\"n{}\"}}\n", i, i);
  return text;
}

std::string json(int rows) {
  std::string text;
  for (int i = 1; i <= rows; ++i)
    text += fmt::format("{}{{\"id\":{},\"name\":\"n{}\"}}", i > 1 ? "," : "[", i, i);
  return text + "]";
}

// Puts the damaged source in place of the good one.
using Damage = std::function<void(const Site& site, const std::string& file)>;
Damage bytes(std::string text) {
  return [text = std::move(text)](const Site& site, const std::string& file) { site.write(file, text); };
}

struct Case {
  const char* name;
  const char* file;
  std::function<std::string(int rows)> good;
  Damage damage;
  int exit_code;
  const char* code;
  const char* says;
};

constexpr int kRows = 60;  // enough for guards that are shares

std::vector<Case> cases() {
  namespace fs = std::filesystem;
  const auto path = [](const Site& site, const std::string& file) { return site.path() / file; };
  return {
      {"KeyColumnAbsent", "in.csv", csv, bytes("ident,name\n1,a\n"), 1, "malformed",
       "key column \"id\" is not in the file; its columns are ident, name"},
      {"NulBytes", "in.csv", csv, bytes(std::string(600, '\0')), 1, "malformed", "binary data"},
      {"InvalidUtf8", "in.ndjson", ndjson, bytes(ndjson(kRows) + "{\"id\":61,\"name\":\"\xff\xfe\"}\n"), 4,
       "guard", "in.ndjson, line 61"},
      {"NulInAField", "in.csv", csv, bytes(csv(kRows) + std::string("61,a\0b\n", 7)), 4, "guard",
       "in.csv, line 62"},
      {"Ragged", "in.csv", csv, bytes(csv(kRows) + "61,a,b,c\n62\n"), 4, "guard",
       "in.csv, line 62: 4 fields where 2 are expected"},
      {"OpenQuote", "in.csv", csv, bytes(csv(kRows) + "61,\"a\n"), 1, "truncated", "line 62"},
      {"Empty", "in.csv", csv, bytes(""), 4, "guard", "in.csv is empty"},
      {"OnlyAHeader", "in.csv", csv, bytes("id,name\n"), 4, "guard", "minimumExpectedRecords"},
      {"LoginPage", "in.csv", csv, bytes("<!DOCTYPE html><html><body>Log in"), 1, "malformed", "HTML page"},
      {"Missing", "in.csv", csv,
       [path](const Site& site, const std::string& file) { fs::remove(path(site, file)); }, 1, "notFound",
       "no file"},
      {"Directory", "in.csv", csv,
       [path](const Site& site, const std::string& file) {
         fs::remove(path(site, file));
         fs::create_directory(path(site, file));
       },
       1, "malformed", "is a folder; name a file in it"},
      {"Pipe", "in.csv", csv,
       [path](const Site& site, const std::string& file) {
         fs::remove(path(site, file));
         ASSERT_EQ(::mkfifo(path(site, file).c_str(), 0600), 0);
       },
       1, "malformed", "pipe"},
      {"LinkOutside", "in.csv", csv,
       [path](const Site& site, const std::string& file) {
         fs::remove(path(site, file));
         fs::create_symlink("/etc/passwd", path(site, file));
       },
       2, "forbidden", "--allow-path"},
      {"CutGzip", "in.csv.gz", [](int rows) { return gzip(csv(rows)); },
       bytes(gzip(csv(kRows)).substr(0, 60)), 1, "truncated", "gzip"},
      {"CutJson", "in.json", json, bytes(json(kRows).substr(0, 500)), 1, "truncated", ""},
      {"BrokenJson", "in.json", json, bytes(json(kRows) + "}"), 1, "malformed", ""},
      {"JsonWithoutRecords", "in.json", json, bytes("{\"error\":\"try later\"}"), 4, "", ""},
      {"DeepJson", "in.json", json,
       bytes("[{\"id\":1,\"x\":" + std::string(5000, '[') + std::string(5000, ']') + "}]"), 4, "", ""},
  };
}

void PrintTo(const Case& bad, std::ostream* out) { *out << bad.name; }

class BadSource : public testing::TestWithParam<Case> {};

TEST_P(BadSource, fails_its_run_and_changes_no_row) {
  const auto& bad = GetParam();
  const Site site;
  const std::string file = bad.file;
  site.write_loader(
      "Abc", "name: Abc\nschedule: manual\nsource: ../" + file + "\nkey: id\nload: {vanished: delete}\n");
  site.write_loader("Other", "name: Other\nschedule: manual\nsource: ../other.csv\nkey: id\n");
  site.write("other.csv", "id\n1\n");
  site.write(file, bad.good(kRows));
  ASSERT_EQ(site.run("Abc").exit_code, 0);
  const auto before = site.query("select * from abc order by id");
  ASSERT_EQ(before.size(), static_cast<std::size_t>(kRows));

  bad.damage(site, file);
  const auto run = site.run("Abc");
  EXPECT_EQ(run.exit_code, bad.exit_code) << run.receipt;
  EXPECT_EQ(run.receipt.at("state"), "failed");
  EXPECT_EQ(run.receipt.at("applied"), false);
  const auto error = run.receipt.at("error");
  ASSERT_TRUE(error.is_object());
  if (*bad.code != '\0') {
    EXPECT_EQ(error.at("code"), bad.code) << error;
  }
  auto words = error.at("where").get<std::string>() + ": " + error.at("message").get<std::string>();
  for (const auto& note : run.receipt.at("notes")) words += "\n" + note.get<std::string>();
  EXPECT_THAT(words, HasSubstr(bad.says));
  EXPECT_THAT(words, HasSubstr("Abc"));
  EXPECT_THAT(words, testing::Not(testing::ContainsRegex("read [^ ]*" + file + ": [^ ]*" + file)))
      << "named once";
  EXPECT_EQ(site.query("select * from abc order by id"), before);
  EXPECT_EQ(site.run("Other").exit_code, 0) << "the others run on";

  std::filesystem::remove_all(site.path() / file);
  site.write(file, bad.good(kRows + 1));
  const auto mended = site.run("Abc");
  EXPECT_EQ(mended.exit_code, 0) << mended.receipt;
  EXPECT_EQ(mended.receipt.at("inserted"), 1);
  EXPECT_EQ(mended.receipt.at("unchanged"), kRows);
}

INSTANTIATE_TEST_SUITE_P(Sources, BadSource, testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

class OddSource : public testing::Test {
 protected:
  void SetUp() override {
    site_.write_loader("Csv", "name: Csv\nschedule: manual\nsource: ../in.csv\nkey: id\n");
    site_.write_loader("Json", "name: Json\nschedule: manual\nsource: ../in.json\nkey: id\n");
  }
  Site site_;
};

TEST_F(OddSource, numbers_beyond_int64_keep_every_digit) {
  site_.write("in.csv", "id,n\n1,9223372036854775807\n2,9223372036854775808\n3,-99999999999999999999999\n");
  const auto csv_run = site_.run("Csv");
  EXPECT_EQ(csv_run.exit_code, 0) << csv_run.receipt;
  EXPECT_EQ(csv_run.receipt.at("rejected"), 0);
  EXPECT_THAT(site_.query("select n from csv order by id"),
              ElementsAre("9223372036854775807", "9223372036854775808", "-99999999999999999999999"));
  site_.write("in.json", R"([{"id":1,"n":5},{"id":2,"n":18446744073709551616}])");
  EXPECT_EQ(site_.run("Json").exit_code, 0);
  EXPECT_THAT(site_.query("select n from json order by id"), ElementsAre("5", "18446744073709551616"));
  // A column that was of whole numbers takes a longer one without losing the others.
  site_.write("in.csv",
              "id,n\n1,9223372036854775807\n2,9223372036854775808\n3,1\n4,123456789012345678901234567890\n");
  EXPECT_EQ(site_.run("Csv").exit_code, 0);
  EXPECT_THAT(
      site_.query("select n from csv order by id"),
      ElementsAre("9223372036854775807", "9223372036854775808", "1", "123456789012345678901234567890"));
}

TEST_F(OddSource, a_field_of_three_megabytes_is_loaded_and_compared_whole) {
  std::string field(3'000'000, 'x');
  site_.write("in.csv", "id,note\n1," + field + "\n2,b\n");
  EXPECT_EQ(site_.run("Csv").exit_code, 0);
  EXPECT_THAT(site_.query("select length(note) from csv order by id"), ElementsAre("3000000", "1"));
  field.back() = 'y';
  site_.write("in.csv", "id,note\n1," + field + "\n2,b\n");
  const auto run = site_.run("Csv");
  EXPECT_EQ(run.receipt.at("updated"), 1);
  EXPECT_EQ(run.receipt.at("unchanged"), 1);
}

TEST_F(OddSource, a_few_bad_records_are_kept_aside_by_line_and_come_in_once_mended) {
  const std::string good = csv(200);
  site_.write("in.csv", good + "201,x,y\n");
  const auto run = site_.run("Csv");
  EXPECT_EQ(run.exit_code, 0) << run.receipt;
  EXPECT_EQ(run.receipt.at("inserted"), 200);
  EXPECT_EQ(run.receipt.at("rejected"), 1);
  EXPECT_THAT(run.receipt.at("notes").dump(), HasSubstr("in.csv, line 202: 3 fields where 2 are expected"));
  EXPECT_THAT(site_.query("select count(*) from _sluice_reject where status = 'open'"), ElementsAre("1"));
  site_.write("in.csv", good + "201,x\n");
  EXPECT_EQ(site_.run("Csv").receipt.at("inserted"), 1);
  EXPECT_THAT(site_.query("select count(*) from _sluice_reject where status = 'open'"), ElementsAre("0"));
}

TEST_F(OddSource, marks_line_ends_and_blank_lines_of_other_systems_are_no_damage) {
  site_.write("in.csv", "\xEF\xBB\xBFid,name\r\n1,\"a\r\nb\"\r\n\r\n2,c\r\n");
  const auto run = site_.run("Csv");
  EXPECT_EQ(run.receipt.at("inserted"), 2) << run.receipt;
  EXPECT_EQ(run.receipt.at("rejected"), 0) << run.receipt;
}

}  // namespace
}  // namespace sluice::test
