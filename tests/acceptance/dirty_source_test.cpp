// Sources as the world sends them, through the built program: what loads, what is kept as a reject, what ends
// the run and with which exit code; and that the table is never the worse for it.
#include "acceptance/site.h"
#include "fetch/http_server.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <filesystem>

namespace sluice::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DirtySource : public testing::Test {
 protected:
  // A loader of in/FILE with what else it says.
  void loader(const std::string& file, const std::string& more = {}) const {
    site_.write_loader("Item",
                       "name: Item\nschedule: manual\nsource: {file: ../in/" + file + "}\nkey: id\n" + more);
  }
  // A table of two rows, by an earlier run from in/good.json.
  void load_two_rows() const {
    site_.write("in/good.json", R"([{"id":1,"v":"a"},{"id":2,"v":"b"}])");
    loader("good.json");
    ASSERT_EQ(site_.run("Item").exit_code, 0);
  }
  void expect_two_rows() const {
    EXPECT_THAT(site_.query("select id || v from item order by id"), ElementsAre("1a", "2b"));
  }
  // The run fails by its data, with words in its error, and leaves the table alone.
  void expect_refused(const std::vector<std::string>& words, int exit_code = 1) const {
    const auto run = site_.run("Item");
    EXPECT_EQ(run.exit_code, exit_code) << run.receipt.dump();
    EXPECT_EQ(run.receipt["applied"], false);
    for (const auto& word : words) EXPECT_THAT(run.receipt["error"].dump(), HasSubstr(word));
    expect_two_rows();
  }
  static std::string notes(const Site::Run& run) { return run.receipt["notes"].dump(); }
  Site site_;
};

const std::string kDelete = "load: {vanished: delete}\n";
const std::string kUpsert = "load: {mode: upsert}\n";

// --- encodings

TEST_F(DirtySource, a_western_csv_is_read_as_windows_1252_and_the_receipt_says_so) {
  site_.write("in/a.csv",
              "id;Gr\xF6\xDF"
              "e\n1;Z\xFCrich \x80\n2;x\n");
  loader("a.csv");
  const auto run = site_.run("Item");
  EXPECT_EQ(run.exit_code, 0) << run.receipt.dump();
  EXPECT_EQ(run.receipt["rejected"], 0);
  EXPECT_THAT(notes(run), HasSubstr("read as windows-1252"));
  EXPECT_THAT(site_.query("select \"Größe\" from item order by id"), ElementsAre("Zürich €", "x"));
}

TEST_F(DirtySource, a_byte_beyond_the_looked_at_start_turns_the_whole_file_to_windows_1252) {
  std::string text = "id,name\n";
  int id = 0;
  while (text.size() < (3u << 20)) text += std::to_string(++id) + ",plain words\n";
  text += std::to_string(++id) + ",Z\xFCrich\n";
  site_.write("in/a.csv", text);
  loader("a.csv");
  const auto planned = json_lines(site_.sluice({"plan", "Item", "--json"}).out).at(0);
  EXPECT_EQ(planned["rejected"], 0);
  EXPECT_THAT(planned["notes"].dump(), HasSubstr("read as windows-1252"));
  const auto run = site_.run("Item");
  EXPECT_EQ(run.exit_code, 0) << run.receipt.dump();
  EXPECT_EQ(run.receipt["inserted"], id);
  expect_balanced(run.receipt);
  EXPECT_THAT(notes(run), HasSubstr("read as windows-1252"));
  EXPECT_THAT(site_.query("select name from item where id = " + std::to_string(id)), ElementsAre("Zürich"));
  // The same through a comparison, not a first load.
  site_.write("in/a.csv", text + std::to_string(++id) + ",Gen\xE8ve\n");
  const auto second = site_.run("Item");
  EXPECT_EQ(second.receipt["inserted"], 1) << second.receipt.dump();
  EXPECT_EQ(second.receipt["unchanged"], id - 1);
}

TEST_F(DirtySource, each_of_several_files_has_an_encoding_of_its_own) {
  site_.write("in/a.csv", "id,name\n1,Z\xFCrich\n");
  site_.write("in/b.csv", "id,name\n2,Zürich\n");
  loader("*.csv");
  EXPECT_EQ(site_.run("Item").exit_code, 0);
  EXPECT_THAT(site_.query("select distinct name from item"), ElementsAre("Zürich"));
}

// --- rejects

TEST_F(DirtySource, a_bad_record_costs_itself_and_is_kept) {
  std::string text = "[";
  for (int id = 1; id <= 200; ++id) {
    text += (id == 1 ? "" : ",\n") + std::string(R"({"id":)") + std::to_string(id) +
            (id == 100 ? R"(,"v":"\ud800"})" : R"(,"v":"x"})");
  }
  site_.write("in/a.json", text + "]");
  loader("a.json");
  const auto run = site_.run("Item");
  EXPECT_EQ(run.exit_code, 0) << run.receipt.dump();
  EXPECT_EQ(run.receipt["inserted"], 199);
  EXPECT_EQ(run.receipt["rejected"], 1);
  EXPECT_THAT(site_.query("select code || ' ' || raw from _sluice_reject"),
              ElementsAre(R"(loneSurrogate {"id":100,"v":"\ud800"})"));
}

TEST_F(DirtySource, broken_syntax_ends_the_run_and_says_where) {
  load_two_rows();
  site_.write("in/bad.json", "[\n{\"id\":1,\"v\":\"x\"},\n{\"id\":2 \"v\":\"y\"}\n]");
  loader("bad.json");
  expect_refused({"malformed", "line 3, byte 2", R"({\"id\":2 \"v\")"});
}

TEST_F(DirtySource, a_small_load_of_which_all_is_rejected_is_no_success) {
  load_two_rows();
  site_.write("in/bad.json", R"([{"id":1,"v":"\ud800"},{"id":3,"v":"\ud800"}])");
  for (const auto* mode : {"upsert", "append", "sync", "replace"}) {
    loader("bad.json", std::string("load: {mode: ") + mode + "}\n");
    expect_refused({"guard"}, 4);
  }
  EXPECT_THAT(site_.query("select distinct status from _sluice_reject"), ElementsAre("open"));
}

// --- nothing where something is expected

TEST_F(DirtySource, an_empty_file_is_for_the_guards_to_judge) {
  load_two_rows();
  for (const auto* name : {"a.json", "a.csv", "a.ndjson", "a"}) {
    for (const auto* text : {"", "\n \n", "\xEF\xBB\xBF"}) {
      SCOPED_TRACE(name);
      site_.write(std::string("in/") + name, text);
      loader(name, kDelete);
      expect_refused({"guard", "in/" + std::string(name) + " is empty", "minimumExpectedRecords: 0"}, 4);
      loader(name, kUpsert);
      const auto added = site_.run("Item");
      EXPECT_EQ(added.exit_code, 0) << added.receipt.dump();
      EXPECT_THAT(notes(added), HasSubstr(std::string(name) + " is empty"));
      expect_two_rows();
    }
  }
  loader("a.json", kDelete + "guards: {minimumExpectedRecords: 0}\n");
  const auto emptied = site_.run("Item");
  EXPECT_EQ(emptied.exit_code, 0) << emptied.receipt.dump();
  EXPECT_EQ(emptied.receipt["deleted"], 2) << "nothing is what was asked for";
}

TEST_F(DirtySource, an_empty_file_among_others_deletes_no_rows) {
  site_.write("in/1.csv", "id,v\n1,a\n");
  site_.write("in/2.csv", "id,v\n2,b\n");
  loader("*.csv", kDelete);
  ASSERT_EQ(site_.run("Item").exit_code, 0);
  site_.write("in/2.csv", "");
  expect_refused({"2.csv is empty"}, 4);
  loader("*.csv", kDelete + "guards: {onBreach: warn}\n");
  const auto warned = site_.run("Item");
  EXPECT_EQ(warned.exit_code, 0) << warned.receipt.dump();
  EXPECT_EQ(warned.receipt["deleted"], 0);
  expect_two_rows();
}

TEST_F(DirtySource, an_empty_first_file_makes_no_table) {
  site_.write("in/a.json", "");
  loader("a.json");
  EXPECT_EQ(site_.run("Item").exit_code, 4);
  loader("a.json", kUpsert);
  const auto run = site_.run("Item");
  EXPECT_EQ(run.exit_code, 0) << run.receipt.dump();
  EXPECT_THAT(notes(run), HasSubstr("is empty"));
  EXPECT_THAT(site_.query("select count(*) from sqlite_master where name = 'item'"), ElementsAre("0"));
}

TEST_F(DirtySource, an_empty_answer_may_be_better_next_time) {
  const fetch::test::HttpServer server([](const auto&, int, const auto& reply) {
    reply.answer("200 OK", {"Content-Type: application/json"}, "");
    return true;
  });
  const auto text = "name: Item\nschedule: manual\nkey: id\nload: {mode: upsert}\nsource: {url: \"" +
                    server.url() + "\"}\n";
  site_.write_loader("Item", text);
  const auto failed = site_.run("Item");
  EXPECT_EQ(failed.exit_code, 1) << failed.receipt.dump();
  EXPECT_EQ(failed.receipt["error"]["retryable"], true);
  EXPECT_THAT(failed.receipt["error"].dump(), HasSubstr("empty"));
  site_.write_loader("Item", text + "guards: {minimumExpectedRecords: 0}\n");
  EXPECT_EQ(site_.run("Item").exit_code, 0) << "nothing is expected";
}

// --- kinds of files

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(bytes.size() + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(DirtySource, files_that_cannot_be_read_fail_the_run_by_their_data) {
  load_two_rows();
  const auto refuse = [&](const std::string& name, const std::string& bytes, const std::string& word) {
    SCOPED_TRACE(name);
    site_.write("in/" + name, bytes);
    loader(name);
    expect_refused({word});
  };
  const auto packed =
      gzip(R"([{"id":1,"v":"a"},{"id":2,"v":"b"},{"id":3,"v":"cccccccccccccccccccccccccccc"}])");
  auto damaged = packed;
  damaged[packed.size() - 6] ^= 0x55;  // its checksum
  refuse("damaged.json.gz", damaged, "damaged gzip data");
  refuse("cut.json.gz", packed.substr(0, packed.size() / 2), "stops in the middle");
  refuse("frame.json.zst", "\x28\xB5\x2F\xFD" + std::string(40, '\xFF'), "damaged zstd data");
  refuse("cut.zip", "PK\x03\x04 and no directory", "no directory at its end");
  refuse("page.json", "<!doctype html><html><body>Sign in</body></html>", "HTML page");
  refuse("rows.json", "<?xml version=\"1.0\"?><rows/>", "XML");
  refuse("rows.csv", std::string("PAR1\0\0\0\0", 8), "Parquet");
  refuse("rows.csv.bz2", "BZh91AY&SY", "bzip2");
}

TEST_F(DirtySource, a_zip_without_one_file_fails_the_run_by_its_data) {
  load_two_rows();
  site_.write("in/a.csv", "id,v\n3,c\n");
  site_.write("in/b.csv", "id,v\n4,d\n");
  site_.write("in/.hidden", "x");
  const auto in = site_.path() / "in";
  ASSERT_EQ(run({"zip", "-q", "two.zip", "a.csv", "b.csv"}, in).exit_code, 0);
  ASSERT_EQ(run({"zip", "-q", "none.zip", ".hidden"}, in).exit_code, 0);
  ASSERT_EQ(run({"zip", "-q", "-P", "secret", "locked.zip", "a.csv"}, in).exit_code, 0);
  for (const auto& [name, word] :
       {std::pair{"two.zip", "a.csv, b.csv"}, {"none.zip", "holds no file"}, {"locked.zip", "a.csv"}}) {
    SCOPED_TRACE(name);
    loader(name);
    expect_refused({word});
  }
}

TEST_F(DirtySource, a_view_is_no_table_of_a_loader) {
  load_two_rows();
  ASSERT_EQ(run({"sqlite3", "data/sluice.db", "create view seen as select 1 as id"}, site_.path()).exit_code,
            0);
  loader("good.json", "target: {table: seen}\n");
  expect_refused({"is a view"}, 2);
}

// --- the path of the records

TEST_F(DirtySource, a_path_that_leads_nowhere_says_what_is_there) {
  load_two_rows();
  site_.write("in/a.json",
              R"({"meta":{"n":2,"when":"now"},"data":{"items":[{"id":3}],"total":1},"list":[1]})");
  const auto at = [&](const std::string& path) {
    site_.write_loader(
        "Item",
        "name: Item\nschedule: manual\nkey: id\nsource: {file: ../in/a.json, records: \"" + path + "\"}\n");
  };
  at("data.itemz");
  expect_refused({"there is no $.data.itemz", "$.data is an object with items, total", "$.data.items"});
  at("rows");
  expect_refused({"$ is an object with meta, data, list", "$.data.items"});
  at("meta.n");
  expect_refused({"$.meta.n is a number", "$.data.items"});
  at("meta.when.deep");
  expect_refused({"$.meta.when is text"});
  at("data.items.id");
  expect_refused({"$.data.items is an array; write [*]"});
  at("list[4]");
  expect_refused({"$.list is an array with fewer elements"});
}

}  // namespace
}  // namespace sluice::test
