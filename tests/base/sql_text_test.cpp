#include "base/sql_text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using Statements = std::vector<std::string>;

TEST(SqlText, is_cut_at_the_semicolons_that_end_a_statement) {
  EXPECT_EQ(split_statements("delete from a; delete from b;\n"),
            (Statements{"delete from a", "delete from b"}));
  EXPECT_EQ(split_statements("delete from a"), (Statements{"delete from a"}));
}

TEST(SqlText, blanks_and_comments_are_no_statement) {
  EXPECT_EQ(split_statements(" ;; -- nothing\n ; /* nor ; this */ "), Statements{});
  EXPECT_EQ(split_statements("-- first; really\ndelete from a -- done;\n"),
            (Statements{"delete from a -- done;"}));
}

TEST(SqlText, quotes_comments_and_dollar_quotes_hold_their_semicolons) {
  EXPECT_EQ(split_statements("insert into a values ('x;''y'); select \";\", `;`, [;] from a"),
            (Statements{"insert into a values ('x;''y')", "select \";\", `;`, [;] from a"}));
  EXPECT_EQ(split_statements("select 1 /* a; /* b; */ c; */; select 2"),
            (Statements{"select 1 /* a; /* b; */ c; */", "select 2"}));
  EXPECT_EQ(
      split_statements("do $$ begin delete from a; end $$; do $x$ a; $$ b; $x$; select $1; select E'\\';'"),
      (Statements{"do $$ begin delete from a; end $$", "do $x$ a; $$ b; $x$", "select $1",
                  "select E'\\';'"}));
}

TEST(SqlText, the_body_of_a_trigger_is_part_of_its_statement) {
  const std::string trigger =
      "create temp trigger t after insert on a begin update a set n = case n when 1 then 2 end; delete from "
      "b; end";
  EXPECT_EQ(split_statements(trigger + "; select 1"), (Statements{trigger, "select 1"}));
  EXPECT_EQ(split_statements("begin; delete from a; end"), (Statements{"begin", "delete from a", "end"}));
}

TEST(SqlText, what_is_not_closed_goes_to_the_end) {
  EXPECT_EQ(split_statements("select 'a; b"), (Statements{"select 'a; b"}));
  EXPECT_EQ(split_statements("select $$ a; b"), (Statements{"select $$ a; b"}));
  EXPECT_EQ(split_statements("select 1; /* a; b"), (Statements{"select 1"}));
}

TEST(SqlText, first_word_passes_over_comments) {
  EXPECT_EQ(first_word("/* x */ -- y\n  COMMIT"), "commit");
  EXPECT_EQ(first_word("(select 1)"), "");
  EXPECT_EQ(first_word(""), "");
}

}  // namespace
}  // namespace sluice
