// sluice init and infer: whatever the source looks like, what they write passes check and a first run.
#include "acceptance/packed.h"
#include "acceptance/site.h"
#include "fetch/http_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Init : public testing::Test {
 protected:
  // Runs init, then check and a first run, and gives init's own answer.
  Json starts_with(const std::vector<std::string>& words) {
    std::vector<std::string> command = words;
    command.emplace_back("--json");
    const auto made = site_.sluice(command);
    EXPECT_EQ(made.exit_code, 0) << made.out << made.err;
    const auto lines = json_lines(made.out);
    if (made.exit_code != 0 || lines.size() != 1) return Json::object();
    const auto name = lines[0].at("name").get<std::string>();
    const auto check = site_.sluice({"check"});
    EXPECT_EQ(check.exit_code, 0) << check.err << text_of(name);
    const auto run = site_.run(name);
    EXPECT_EQ(run.exit_code, 0) << run.err << run.receipt << text_of(name);
    EXPECT_EQ(run.receipt.at("read"), lines[0].at("records")) << text_of(name);
    EXPECT_EQ(run.receipt.at("rejected"), 0);
    return lines[0];
  }
  std::string text_of(const std::string& name) const {
    return read_text(site_.definitions() / (name + ".loader.yaml"));
  }
  Site site_;
};

TEST_F(Init, an_empty_source_is_no_source) {
  for (const auto& words : {std::vector<std::string>{"infer", ""}, {"init", "X", "--source", ""}}) {
    const auto ended = site_.sluice(words);
    EXPECT_EQ(ended.exit_code, 2) << ended.out;
    EXPECT_THAT(ended.err, HasSubstr("empty"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(site_.definitions()));
}

TEST_F(Init, starts_in_a_folder_that_holds_nothing_but_the_source) {
  site_.write("city.csv", "id,name\n1,a\n2,b\n");
  std::filesystem::remove_all(site_.definitions());
  starts_with({"init", "--source", "city.csv"});
  std::filesystem::remove_all(site_.definitions());
  std::filesystem::remove_all(site_.data());
  starts_with({"infer", "city.csv"});
}

TEST_F(Init, a_file_that_is_named_here_is_meant_before_one_beside_the_definitions) {
  site_.write("city.csv", "id,name\n1,a\n2,b\n");
  site_.write("definitions/city.csv", "code,other\n1,a\n");
  const auto inferred = site_.sluice({"infer", "city.csv", "--print"});
  EXPECT_EQ(inferred.exit_code, 0) << inferred.err;
  EXPECT_THAT(inferred.out, HasSubstr("../city.csv"));
  EXPECT_THAT(inferred.out, HasSubstr("name"));
  EXPECT_THAT(site_.sluice({"infer", "only.csv", "--print", "--offline"}).out, HasSubstr("only.csv"));
}

TEST_F(Init, what_it_writes_has_the_mode_of_any_new_file_and_keeps_the_one_it_had) {
  namespace fs = std::filesystem;
  site_.write("city.csv", "id,name\n1,a\n2,b\n");
  site_.write("other.txt", "");
  ASSERT_EQ(site_.sluice({"infer", "city.csv"}).exit_code, 0);
  const auto file = site_.definitions() / "City.loader.yaml";
  EXPECT_EQ(fs::status(file).permissions(), fs::status(site_.path() / "other.txt").permissions());
  fs::permissions(file, fs::perms(0640));
  ASSERT_EQ(site_.sluice({"infer", "city.csv", "--force"}).exit_code, 0);
  EXPECT_EQ(fs::status(file).permissions(), fs::perms(0640));
}

TEST_F(Init, the_next_commands_that_it_tells_can_be_pasted) {
  site_.write("city.csv", "id,name\n1,a\n2,b\n");
  const auto told = site_.sluice({"infer", "city.csv", "it's $HOME", "--data", "other data"});
  ASSERT_EQ(told.exit_code, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("sluice check --data 'other data'\n"));
  EXPECT_THAT(told.out, HasSubstr("sluice plan 'it'\\''s $HOME' --data 'other data'\n"));
}

TEST_F(Init, finds_the_key_of_a_csv_file_by_its_name_and_its_values) {
  site_.write("in/city.csv", "population,city_id,name\n5,10,a\n6,11,b\n7,12,b\n");
  const auto made = starts_with({"init", "City", "--source", "in/city.csv"});
  EXPECT_EQ(made.at("file"), "definitions/City.loader.yaml");
  EXPECT_EQ(made.at("records"), 3);
  EXPECT_THAT(made.at("key"), ElementsAre("city_id")) << "population is unique too, but by chance";
  EXPECT_EQ(made.at("columns")[0].at("type"), "int64");
  EXPECT_EQ(made.at("columns")[2].at("unique"), false);
  const auto text = text_of("City");
  EXPECT_THAT(text, HasSubstr("source: {file: ../in/city.csv}")) << "a path starts at the file that holds it";
  EXPECT_THAT(text, HasSubstr("unique and never empty in all 3 records"));
  EXPECT_THAT(text, HasSubstr("#   population: {type: int64}"));
}

TEST_F(Init, takes_two_columns_where_one_is_not_enough) {
  site_.write(
      "rates.csv",
      "date,currency,rate\n2026-01-05,CHF,0.93\n2026-01-05,EUR,1\n2026-01-06,CHF,0.93\n2026-01-06,EUR,1\n");
  const auto made = starts_with({"infer", "rates.csv"});
  EXPECT_EQ(made.at("name"), "Rates");
  EXPECT_THAT(made.at("key"), ElementsAre("date", "currency"));
  EXPECT_EQ(made.at("columns")[0].at("type"), "date");
}

TEST_F(Init, takes_three_columns_where_two_are_not_enough) {
  std::string csv = "country,year,sex,people\n";
  for (const auto* country : {"CH", "DE"}) {
    for (const auto* year : {"2024", "2025"}) {
      for (const auto* sex : {"f", "m"}) csv += fmt::format("{},{},{},7\n", country, year, sex);
    }
  }
  site_.write("people.csv", csv);
  EXPECT_THAT(starts_with({"infer", "people.csv"}).at("key"), ElementsAre("country", "year", "sex"));
}

TEST_F(Init, replaces_the_table_where_no_column_is_a_key_and_says_so) {
  site_.write("log.csv", "level,text\ninfo,a\ninfo,a\nwarn,\n");
  const auto made = starts_with({"infer", "log.csv"});
  EXPECT_THAT(made.at("key"), IsEmpty());
  const auto text = text_of("Log");
  EXPECT_THAT(text, HasSubstr("mode: replace"));
  EXPECT_THAT(text, HasSubstr("# key: id"));
  EXPECT_THAT(text, HasSubstr("No column, and no two or three of them together"));
  const auto words = site_.sluice({"infer", "log.csv", "Other"});
  EXPECT_THAT(words.out, HasSubstr("the table is replaced as a whole"));
}

TEST_F(Init, reads_json_ndjson_and_packed_files) {
  site_.write(
      "a.json",
      R"({"total":2,"items":[{"sku":"x","price":1.50,"tags":["a"]},{"sku":"y","price":2,"note":null}]})");
  const auto json = starts_with({"infer", "a.json", "Item"});
  EXPECT_THAT(json.at("key"), ElementsAre("sku"));
  EXPECT_THAT(text_of("Item"), HasSubstr("no record has a value here")) << "note";
  site_.write("b.ndjson", "{\"code\":1,\"at\":\"2026-01-05T09:30:00Z\"}\n{\"code\":2}\n");
  EXPECT_THAT(starts_with({"infer", "b.ndjson", "Event"}).at("key"), ElementsAre("code"));
  EXPECT_THAT(text_of("Event"), HasSubstr("empty in 1 of 2 records"));
  site_.write("c.csv.gz", gzip("id;v\n1;1,5\n2;2,5\n"));
  EXPECT_THAT(starts_with({"infer", "c.csv.gz"}).at("key"), ElementsAre("id"));
  site_.write("in/d-1.csv", "id,v\n1,a\n2,b\n");
  site_.write("in/d-2.csv", "id,v\n3,a\n4,b\n");
  const auto many = starts_with({"infer", "in/d-*.csv"});
  EXPECT_EQ(many.at("records"), 4);
  EXPECT_THAT(many.at("key"), ElementsAre("id"));
}

TEST_F(Init, asks_an_address_like_a_run_does) {
  const fetch::test::HttpServer server([](const auto&, int, const auto& reply) {
    reply.answer("200 OK", {"Content-Type: application/json"},
                 R"([{"id":7,"name":"a"},{"id":8,"name":"a"}])");
    return true;
  });
  const auto made = starts_with({"init", "Thing", "--source", server.url()});
  EXPECT_THAT(made.at("key"), ElementsAre("id"));
  EXPECT_THAT(text_of("Thing"), HasSubstr("url: '" + server.url()));
}

TEST_F(Init, takes_odd_names_of_columns_and_loaders) {
  site_.write("odd.csv", "\"it's: #1\",\"a\nb\",${x},\"\",id\n1,2,3,4,x\n1,2,3,4,y\n");
  const auto made = starts_with({"init", "Odd names & co", "--source", "odd.csv"});
  EXPECT_THAT(made.at("key"), ElementsAre("id"));
  site_.write("hard.csv", "\"${x}: 'y'\",v\n1,a\n2,a\n");
  EXPECT_THAT(starts_with({"infer", "hard.csv"}).at("key"), ElementsAre("${x}: 'y'"));
}

TEST_F(Init, tries_another_key_when_the_types_of_late_records_differ) {
  std::string csv = "id,code\n";
  for (int i = 0; i < 1500; ++i)
    csv += fmt::format("{},{}\n", i < 1400 ? std::to_string(i) : "x" + std::to_string(i), 9000 - i);
  csv += "7,1\n";
  site_.write("late.csv", csv);
  const auto made = starts_with({"infer", "late.csv"});
  EXPECT_THAT(made.at("key"), ElementsAre("code"));
  EXPECT_EQ(made.at("columns")[0].at("type"), "text");
}

TEST_F(Init, of_a_source_without_records_writes_what_runs) {
  site_.write("head.csv", "id,name\n");
  const auto made = starts_with({"infer", "head.csv"});
  EXPECT_EQ(made.at("records"), 0);
  EXPECT_THAT(text_of("Head"), HasSubstr("minimumExpectedRecords: 0"));
  EXPECT_THAT(text_of("Head"), HasSubstr("#   name: {}"));
}

TEST_F(Init, of_nothing_at_all_says_so_and_writes_nothing) {
  site_.write("void.csv", "");
  const auto empty = site_.sluice({"infer", "void.csv"});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.err, HasSubstr("empty"));
  EXPECT_THAT(empty.err, HasSubstr("--offline"));
  const auto missing = site_.sluice({"init", "X", "--source", "nowhere.csv"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("nowhere.csv"));
  const auto unreachable = site_.sluice({"init", "X", "--source", "http://127.0.0.1:1/x.json"});
  EXPECT_EQ(unreachable.exit_code, 3);
  const auto forbidden = site_.sluice({"init", "X", "--source", "http://169.254.169.254/x.json"});
  EXPECT_EQ(forbidden.exit_code, 2);
  EXPECT_THAT(forbidden.err, HasSubstr("--allow-address"));
  const auto outside = site_.sluice({"init", "X", "--source", "/etc/passwd"});
  EXPECT_EQ(outside.exit_code, 2);
  EXPECT_THAT(outside.err, HasSubstr("--allow-path"));
  EXPECT_TRUE(std::filesystem::is_empty(site_.definitions()));
  EXPECT_FALSE(std::filesystem::exists(site_.data()));
}

TEST_F(Init, without_a_look_is_valid_as_it_stands) {
  EXPECT_EQ(site_.sluice({"init"}).exit_code, 0);
  EXPECT_EQ(site_.sluice({"init", "Far", "--offline", "--source", "https://127.0.0.1:1/x.json"}).exit_code,
            0);
  EXPECT_EQ(site_.sluice({"check"}).exit_code, 0);
  EXPECT_THAT(text_of("Country"), HasSubstr("mode: replace"));
}

TEST_F(Init, holds_the_given_key_against_the_source) {
  site_.write("a.csv", "kind,name\nx,1\nx,2\n");
  const auto slip = site_.sluice({"infer", "a.csv", "--key", "nmae"});
  EXPECT_EQ(slip.exit_code, 2);
  EXPECT_THAT(slip.err, HasSubstr("did you mean \"name\"?"));
  const auto doubtful = site_.sluice({"infer", "a.csv", "--key", "kind"});
  EXPECT_EQ(doubtful.exit_code, 0);
  EXPECT_THAT(doubtful.err, HasSubstr("1 of 2 records repeat the key"));
}

TEST_F(Init, never_overwrites_unasked) {
  site_.write("a.csv", "id\n1\n2\n");
  site_.write_loader("A", "# mine\n");
  const auto refused = site_.sluice({"infer", "a.csv"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_EQ(text_of("A"), "# mine\n");
  EXPECT_EQ(site_.sluice({"infer", "a.csv", "--print"}).exit_code, 0);
  EXPECT_EQ(text_of("A"), "# mine\n");
  EXPECT_EQ(site_.sluice({"infer", "a.csv", "--force"}).exit_code, 0);
  EXPECT_THAT(text_of("A"), Not(HasSubstr("# mine")));
}

TEST_F(Init, is_judged_among_the_other_definitions) {
  site_.write("a.csv", "id\n1\n2\n");
  site_.write_loader("sub/Other", "name: A\nschedule: manual\nsource: ../../a.csv\nkey: id\n");
  const auto clash = site_.sluice({"infer", "a.csv"});
  EXPECT_EQ(clash.exit_code, 2);
  EXPECT_THAT(clash.err, HasSubstr("sub/Other.loader.yaml"));
  EXPECT_FALSE(std::filesystem::exists(site_.definitions() / "A.loader.yaml"));
}

}  // namespace
}  // namespace sluice::test
