// Fields spelled otherwise, without a name, with names that a database refuses, and too many of them.
#include "acceptance/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Rows = std::vector<std::string>;

class FieldNames : public testing::Test {
 protected:
  void csv(const std::string& text, const std::string& more = "") const { source("csv", text, more); }
  void json(const std::string& text, const std::string& more = "") const { source("json", text, more); }
  void source(const std::string& format, const std::string& text, const std::string& more) const {
    site_.write("in/t." + format, text);
    site_.write_loader("T",
                       "name: T\nschedule: manual\nsource: {file: ../in/t." + format + "}\nkey: Id\n" + more);
  }
  std::string error_of(const Site::Run& run) const {
    return run.receipt["error"].is_null() ? "" : run.receipt["error"]["message"].get<std::string>();
  }
  Site site_;
};

TEST_F(FieldNames, a_header_in_another_case_is_the_same_header) {
  csv("Id,Name\n1,a\n2,b\n");
  ASSERT_EQ(site_.run("T").receipt["inserted"], 2);
  csv("ID,name\n1,a\n2,B\n");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["updated"], 1);
  EXPECT_EQ(run.receipt["unchanged"], 1);
  EXPECT_THAT(run.receipt["notes"].dump(), HasSubstr("\\\"Id\\\" of column Id as \\\"ID\\\""));
  EXPECT_TRUE(run.receipt["schemaChanges"].empty());
  EXPECT_EQ(site_.query("select Id, Name from t order by Id"), (Rows{"1|a", "2|B"}));
  csv("ID,name\n1,a\n2,C\n");
  EXPECT_TRUE(site_.run("T").receipt["notes"].empty()) << "told once";
  csv("Id,Name\n1,a\n2,D\n");
  EXPECT_EQ(site_.run("T").receipt["updated"], 1) << "and back";
}

TEST_F(FieldNames, a_json_field_in_another_case_is_the_same_field) {
  json(R"([{"Id":1,"Name":"a"}])");
  ASSERT_EQ(site_.run("T").receipt["inserted"], 1);
  json(R"([{"id":1,"NAME":"b"}])");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["updated"], 1);
  EXPECT_EQ(site_.query("select * from t"), Rows{"1|b"});
}

TEST_F(FieldNames, a_declared_column_takes_a_field_in_another_case) {
  const std::string declared = "columns: {Id: {type: int64}, Price: {type: 'decimal(9,2)'}}\n";
  csv("id,price,x\n1,2.50,a\n", declared);
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(site_.query("select Id, Price, x from t"), Rows{"1|2.5|a"});
  EXPECT_THAT(run.receipt["notes"].dump(), HasSubstr("price"));
}

TEST_F(FieldNames, files_of_one_run_may_differ_in_case) {
  site_.write("in/a.csv", "Id,Name\n1,a\n");
  site_.write("in/b.csv", "ID,name,More\n2,b,x\n");
  site_.write("in/c.csv", "id,NAME,more\n3,c,y\n");
  site_.write_loader("T", "name: T\nschedule: manual\nsource: {file: ../in/*.csv}\nkey: Id\n");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.receipt["inserted"], 3);
  EXPECT_EQ(site_.query("select Id, Name, More from t order by Id"), (Rows{"1|a|NULL", "2|b|x", "3|c|y"}));
  EXPECT_THAT(run.receipt["notes"].dump(), HasSubstr("NAME"));
}

TEST_F(FieldNames, two_spellings_in_one_file_are_an_error_that_names_both) {
  csv("ID,Name\n1,a\n", "columns: {ID: {type: int64}}\n");
  site_.write_loader("T", "name: T\nschedule: manual\nsource: {file: ../in/t.csv}\nkey: ID\n");
  ASSERT_EQ(site_.run("T").exit_code, 0);
  site_.write("in/t.csv", "Id,id,Name\n1,2,a\n");
  const auto run = site_.run("T");
  EXPECT_NE(run.exit_code, 0);
  EXPECT_EQ(run.receipt["error"]["code"], "invalidDefinition");
  for (const auto* part : {"\"ID\"", "\"Id\"", "\"id\"", "columns: {NAME: {from:", "t.csv"}) {
    EXPECT_THAT(error_of(run), HasSubstr(part));
  }
  EXPECT_EQ(site_.query("select * from t"), Rows{"1|a"});
}

TEST_F(FieldNames, a_late_record_in_another_case_is_the_same_field_unless_both_are_there) {
  std::string rows = "[";
  for (int i = 0; i < 1500; ++i) rows += "{\"Id\":" + std::to_string(i) + "},";
  json(R"([{"Id":1,"Name":"a"}])");
  ASSERT_EQ(site_.run("T").exit_code, 0);
  json(rows + R"({"Id":1501,"name":"late"}])");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(site_.query("select Name from t where Id = 1501"), Rows{"late"});
  json(R"([{"Id":1,"Name":"x"},)" + rows.substr(1) + R"({"Id":1501,"name":"late"}])");
  const auto both = site_.run("T");
  EXPECT_NE(both.exit_code, 0);
  EXPECT_THAT(error_of(both), HasSubstr("\"Name\""));
  EXPECT_THAT(error_of(both), HasSubstr("\"name\""));
}

TEST_F(FieldNames, a_field_without_a_name_is_loaded) {
  json(R"([{"Id":1,"":"x"},{"Id":2,"":"y"}])");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(site_.query("select Id, unnamed from t order by Id"), (Rows{"1|x", "2|y"}));
  json(R"([{"Id":1,"":"x"},{"Id":2,"":"z"}])");
  EXPECT_EQ(site_.run("T").receipt["updated"], 1);
  json(R"([{"Id":1,"":"x"}])", "columns: {Id: int64, label: {from: unnamed}}\nload: {mode: replace}\n");
  EXPECT_EQ(site_.run("T").exit_code, 0);
  EXPECT_EQ(site_.query("select label from t"), Rows{"x"});
}

TEST_F(FieldNames, a_header_without_a_name_is_loaded) {
  csv(",Id\na,1\n");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(site_.query("select Id, column1 from t"), Rows{"1|a"});
}

TEST_F(FieldNames, too_many_are_told_with_the_limit_and_what_to_do) {
  std::string header = "Id";
  std::string row = "1";
  for (int i = 0; i < 2500; ++i) {
    header += ",c" + std::to_string(i);
    row += ",x";
  }
  csv(header + "\n" + row + "\n");
  const auto run = site_.run("T");
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.receipt["error"]["code"], "tooLarge");
  EXPECT_THAT(error_of(run), HasSubstr("2,501 columns"));
  EXPECT_THAT(error_of(run), HasSubstr("2,000"));
  EXPECT_THAT(error_of(run), HasSubstr("newColumns: ignore"));
  csv(header + "\n" + row + "\n",
      "columns: {Id: {type: int64}, c7: {type: text}}\ncontract: {newColumns: ignore}\n");
  const auto chosen = site_.run("T");
  EXPECT_EQ(chosen.exit_code, 0) << chosen.err << " what the message says helps";
  EXPECT_EQ(site_.query("select * from t"), Rows{"1|x"});
}

TEST_F(FieldNames, two_thousand_are_loaded) {
  std::string header = "Id";
  std::string row = "1";
  for (int i = 1; i < 2000; ++i) {
    header += ",c" + std::to_string(i);
    row += "," + std::to_string(i);
  }
  csv(header + "\n" + row + "\n");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  csv(header + "\n" + row + "0\n");
  EXPECT_EQ(site_.run("T").receipt["updated"], 1);
  EXPECT_EQ(site_.query("select c1999 from t"), Rows{"19990"});
}

TEST_F(FieldNames, names_that_are_taken_are_told_with_the_mapping_to_write) {
  csv("Id,_sluice_note\n1,a\n");
  const auto run = site_.run("T");
  EXPECT_NE(run.exit_code, 0);
  EXPECT_THAT(error_of(run), HasSubstr("columns: {NAME: {from: \"_sluice_note\"}}"));
  csv("Id,_sluice_note\n1,a\n", "columns: {Id: int64, note: {from: _sluice_note}}\n");
  EXPECT_EQ(site_.run("T").exit_code, 0);
  EXPECT_EQ(site_.query("select note from t"), Rows{"a"});
}

TEST_F(FieldNames, the_names_of_sqlites_row_number_are_names_like_any_other) {
  csv("Id,rowid,oid,_rowid_\na,x,y,z\nb,1,2,3\n");
  ASSERT_EQ(site_.run("T").exit_code, 0);
  csv("Id,rowid,oid,_rowid_\na,x,y,q\nb,1,2,3\n");
  EXPECT_EQ(site_.run("T").receipt["updated"], 1);
  EXPECT_EQ(site_.query("select rowid, oid, _rowid_ from t order by Id"), (Rows{"x|y|q", "1|2|3"}));
}

TEST_F(FieldNames, odd_names_come_through) {
  json(
      R"([{"Id":1,"a b":"1x","sel\"ect":"2x","ä":"3x","a.b":"4x"," ":"5x","\n":"6x","🙂":"7x","null":"8x"}])");
  const auto run = site_.run("T");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(site_.query("select * from t"), Rows{"1|1x|2x|3x|4x|5x|6x|7x|8x"});
  EXPECT_EQ(site_.run("T").receipt["notModified"], 1);
}

TEST_F(FieldNames, a_name_with_a_nul_is_refused_with_the_field) {
  json(R"([{"Id":1,"a\u0000b":"x"}])");
  const auto run = site_.run("T");
  EXPECT_NE(run.exit_code, 0);
  EXPECT_THAT(error_of(run), HasSubstr("NUL"));
  EXPECT_THAT(error_of(run), Not(HasSubstr("SQLite code")));
}

}  // namespace
}  // namespace sluice::test
