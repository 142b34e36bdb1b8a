// What is remembered of a table beside it may be damaged by anybody with a pen: the next load must notice,
// make it anew from the rows, and do exactly what it would have done.
#include "load/numbers_fixture.h"

#include <functional>

namespace sluice::load::test {
namespace {

using ::testing::HasSubstr;

struct Damage {
  std::string name;
  std::string sql;  // on the fingerprints of table "part"
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

// Chunk n, counted from 0, as a condition.
std::string chunk(int n) {
  return fmt::format(
      "table_name = 'part' and first_key = (select first_key from _sluice_fingerprint where table_name = "
      "'part' "
      "order by first_key limit 1 offset {})",
      n);
}

// Sets the byte at `at` of the chunk's data (negative: from its end) to `to`.
std::string set_byte(int n, const std::string& at, int to) {
  return fmt::format(
      "update _sluice_fingerprint set data = cast(substr(data, 1, {0}) || x'{1:02x}' || substr(data, {0} + "
      "2) as blob) "
      "where {2}",
      at, to, chunk(n));
}

const std::vector<Damage> kDamages = {
    {"a_fingerprint", set_byte(1, "200", 0x77)},
    {"a_flag_set", set_byte(1, "(length(data) - 4096 * 10 + 5)", 1)},
    {"all_flags_cleared",
     "update _sluice_fingerprint set data = cast(substr(data, 1, length(data) - entries * 10) || "
     "zeroblob(entries) || "
     "substr(data, length(data) - entries * 9 + 1) as blob)"},
    {"a_key", set_byte(1, "(length(data) - 900)", 0xff)},
    {"the_last_key", set_byte(1, "(length(data) - 1)", 0)},
    {"its_version", set_byte(0, "0", 1)},
    {"a_length", set_byte(0, "4", 0xff)},
    {"cut", "update _sluice_fingerprint set data = substr(data, 1, 1000) where " + chunk(1)},
    {"longer", "update _sluice_fingerprint set data = cast(data || x'00' as blob) where " + chunk(1)},
    {"empty", "update _sluice_fingerprint set data = x'' where " + chunk(0)},
    {"text", "update _sluice_fingerprint set data = 'what is this'"},
    {"one_gone", "delete from _sluice_fingerprint where " + chunk(1)},
    {"the_last_gone", "delete from _sluice_fingerprint where " + chunk(2)},
    {"all_gone", "delete from _sluice_fingerprint"},
    {"entries_many", "update _sluice_fingerprint set entries = 4294967295 where " + chunk(0)},
    {"entries_negative", "update _sluice_fingerprint set entries = -1 where " + chunk(0)},
    {"entries_none", "update _sluice_fingerprint set entries = 0"},
    {"entries_text", "update _sluice_fingerprint set entries = 'x' where " + chunk(1)},
    {"first_key_text", "update _sluice_fingerprint set first_key = 'zzz' where " + chunk(1)},
    {"first_key_empty", "update _sluice_fingerprint set first_key = x'' where " + chunk(2)},
    {"swapped", "update _sluice_fingerprint set data = (select data from _sluice_fingerprint where " +
                    chunk(2) + ") where " + chunk(0)},
    {"twice",
     "insert into _sluice_fingerprint select table_name, cast(first_key || x'00' as blob), entries, data "
     "from "
     "_sluice_fingerprint where " +
         chunk(1)},
};

class DamagedTable : public NumbersFixture {
 protected:
  DamagedTable() {
    loader_.mode = LoadMode::sync;
    loader_.vanished = Vanished::soft_delete;
    loader_.guards.max_deletes.reset();
    declare("id", ValueType::int64);
    declare("name", ValueType::text);
  }
  void execute(const std::string& sql) {
    const auto connection = sql::open_database(*sql::parse_database_url(database()));
    const auto done = (*connection)->execute(sql);
    ASSERT_TRUE(done) << done.error().describe();
  }
  // 10,000 rows in three chunks, some of them gone since.
  void load_twice() {
    ASSERT_EQ(loaded(rows([](int) { return true; }, "old")), "+10000 ~0 -0 =0");
    ASSERT_EQ(loaded(rows([](int id) { return id % 7 != 0; }, "old")), "+0 ~0 -1429 =8571");
    ASSERT_EQ(select("select count(*) from _sluice_fingerprint").front(), "3");
  }
  static std::string rows(const std::function<bool(int)>& there, std::string_view name) {
    std::string csv = "id,name\n";
    for (int id = 0; id < 10'000; ++id) {
      if (there(id)) csv += fmt::format("{},{}\n", id, id % 5 == 0 ? name : "same");
    }
    return csv;
  }
  // Some come back, some go, some change, some are as they were.
  static std::string third() {
    return rows([](int id) { return id % 14 == 0 || (id % 7 != 0 && id % 11 != 0 && id < 9000); }, "new");
  }
};

class DamagedState : public DamagedTable, public ::testing::WithParamInterface<Damage> {};

class ChangedTable : public DamagedTable {
 protected:
  // Rows 1 and 2, and 3, which is soft-deleted; then the damage and a replacement.
  Receipt replaced_after(const std::string& sql) {
    EXPECT_EQ(loaded("id,name\n1,a\n2,b\n3,c\n"), "+3 ~0 -0 =0");
    EXPECT_EQ(loaded("id,name\n1,a\n2,b\n"), "+0 ~0 -1 =2");
    execute(sql);
    loader_.mode = LoadMode::replace;
    return load("id,name\n1,a\n2,x\n");
  }
};

TEST_F(ChangedTable, live_rows_are_counted_when_a_soft_deleted_one_was_removed) {
  const auto receipt = replaced_after("delete from part where id = 3");
  ASSERT_FALSE(receipt.error) << receipt.error->describe();
  EXPECT_EQ(receipt.rows_before, 2);
  EXPECT_EQ(receipt.deleted, 2);
  EXPECT_EQ(receipt.rows_after, 2);
}

TEST_F(ChangedTable, live_rows_are_counted_when_the_mark_was_dropped) {
  const auto receipt = replaced_after("alter table part drop column _deleted_at");
  ASSERT_FALSE(receipt.error) << receipt.error->describe();
  EXPECT_EQ(receipt.rows_before, 3);
  EXPECT_EQ(receipt.deleted, 3);
  EXPECT_EQ(receipt.rows_after, 2);
}

TEST_P(DamagedState, is_noticed_and_made_anew) {
  load_twice();
  execute(GetParam().sql);
  const auto receipt = load(third());
  ASSERT_FALSE(receipt.error) << receipt.error->describe();
  std::int64_t restored = 0, gone = 0, updated = 0, unchanged = 0;
  for (int id = 0; id < 10'000; ++id) {
    const bool now = id % 14 == 0 || (id % 7 != 0 && id % 11 != 0 && id < 9000);
    if (id % 7 == 0 && now) ++restored;
    if (id % 7 == 0) continue;
    if (!now) ++gone;
    if (now) ++(id % 5 == 0 ? updated : unchanged);
  }
  EXPECT_EQ(receipt.inserted, 0);
  EXPECT_EQ(receipt.restored, restored);
  EXPECT_EQ(receipt.deleted, gone);
  EXPECT_EQ(receipt.updated, updated);
  EXPECT_EQ(receipt.unchanged, unchanged);
  EXPECT_EQ(receipt.rows_after, restored + updated + unchanged);
  EXPECT_EQ(receipt.compare, "columns");
  EXPECT_THAT(receipt.notes, ::testing::Contains(HasSubstr("fingerprint")));
  EXPECT_EQ(select("select count(*), sum(name = 'new') from part where _deleted_at is null").front(),
            fmt::format("{}|{}", restored + updated + unchanged, receipt.updated + (10'000 + 69) / 70));
  // What was made anew serves the next load.
  const auto again = load(third());
  ASSERT_FALSE(again.error) << again.error->describe();
  EXPECT_EQ(again.compare, "fingerprint");
  EXPECT_EQ(again.unchanged, again.read);
  EXPECT_EQ(again.vanished, 0);
}

INSTANTIATE_TEST_SUITE_P(Fingerprints, DamagedState, ::testing::ValuesIn(kDamages),
                         [](const auto& damage) { return damage.param.name; });

}  // namespace
}  // namespace sluice::load::test
