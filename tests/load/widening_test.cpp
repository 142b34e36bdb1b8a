// Every way in which a column may widen, in chains of loads: what was loaded twice is unchanged, and what is
// stored is what the source said, also of rows that the source no longer has.
//
// SLUICE_PROPERTY_CASES says how many chains (default 120), SLUICE_SEED where they begin.
#include "load/numbers_fixture.h"
#include "upsert/iso_text.h"

#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace sluice::load::test {
namespace {

using Random = std::mt19937_64;
int below(Random& random, int limit) {
  return static_cast<int>(random() % static_cast<std::uint64_t>(limit));
}
std::string digits(Random& random, int count) {
  std::string text(1, static_cast<char>('1' + below(random, 9)));
  while (static_cast<int>(text.size()) < count) text += static_cast<char>('0' + below(random, 10));
  return text;
}

// What a value means: numbers are compared as numbers, times as times.
enum class Meaning { number, boolean, date, timestamp, text };

struct Value {
  Meaning meaning = Meaning::text;
  std::string written;  // without quotes
  bool quoted = false;  // in CSV and JSON alike
};

using Maker = Value (*)(Random&);
struct NamedMaker {
  const char* name;
  Maker make;
};

std::string clock_text(Random& random) {
  return fmt::format("{:02}:{:02}:{:02}", below(random, 24), below(random, 60), below(random, 60));
}
std::string date_text(Random& random) {
  return fmt::format("{}-{:02}-{:02}", 1900 + below(random, 200), 1 + below(random, 12),
                     1 + below(random, 28));
}

const std::vector<NamedMaker> kMakers = {
    {"small integer",
     [](Random& r) {
       return Value{Meaning::number, (below(r, 3) == 0 ? "-" : "") + digits(r, 1 + below(r, 6))};
     }},
    {"integer past 2^53", [](Random& r) { return Value{Meaning::number, digits(r, 17 + below(r, 2))}; }},
    {"integer past int64", [](Random& r) { return Value{Meaning::number, digits(r, 19 + below(r, 10))}; }},
    {"short decimal",
     [](Random& r) {
       return Value{Meaning::number, digits(r, 1 + below(r, 4)) + '.' + digits(r, 1 + below(r, 3)) +
                                         (below(r, 2) == 0 ? "0" : "")};
     }},
    {"double's decimal",
     [](Random& r) {
       // As programs print them: up to 17 digits.
       return Value{Meaning::number, fmt::format("{:.17g}", 1 + static_cast<double>(r() >> 11) * 0x1p-53)};
     }},
    {"long decimal",
     [](Random& r) { return Value{Meaning::number, digits(r, 5 + below(r, 10)) + '.' + digits(r, 15)}; }},
    {"exponent",
     [](Random& r) {
       return Value{Meaning::number,
                    digits(r, 1) + '.' + digits(r, 2) + 'e' + std::to_string(below(r, 12) - 6)};
     }},
    {"tiny double",
     [](Random& r) { return Value{Meaning::number, digits(r, 1) + '.' + digits(r, 3) + "e-60"}; }},
    {"tiny beyond doubles",
     [](Random& r) { return Value{Meaning::number, digits(r, 1) + '.' + digits(r, 25) + "e-60"}; }},
    {"huge",
     [](Random& r) {
       return Value{Meaning::number, digits(r, 1) + ".5e" + std::to_string(400 + below(r, 9))};
     }},
    {"bool", [](Random& r) { return Value{Meaning::boolean, below(r, 2) == 0 ? "true" : "false"}; }},
    {"date", [](Random& r) { return Value{Meaning::date, date_text(r), true}; }},
    {"timestamp",
     [](Random& r) {
       static const std::array<const char*, 4> zones = {"Z", "", "+02:00", " -05"};
       return Value{Meaning::timestamp,
                    date_text(r) + (below(r, 2) == 0 ? "T" : " ") + clock_text(r) +
                        (below(r, 2) == 0 ? ".250" : "") + zones[static_cast<std::size_t>(below(r, 4))],
                    true};
     }},
    {"timestamp in nanoseconds",
     [](Random& r) {
       return Value{Meaning::text, date_text(r) + 'T' + clock_text(r) + ".123456789Z", true};
     }},
    {"word", [](Random& r) { return Value{Meaning::text, "w" + digits(r, 2), true}; }},
    {"quoted number", [](Random& r) { return Value{Meaning::number, digits(r, 2) + ".50", true}; }},
};

std::string canonical_time(std::string_view text) {
  std::string copy(text);
  if (const auto at = copy.find(" -05"); at != std::string::npos) copy.replace(at, 4, "-05:00");
  std::int64_t micros = 0;
  std::array<char, 40> buffer;
  return upsert::read_timestamp(copy, micros) ? std::string(upsert::write_timestamp(micros, buffer))
                                              : std::string(text);
}
std::string canonical_number(const std::string& text) {
  std::string canonical;
  return upsert::canonical_decimal(text, canonical) ? canonical : text;
}

// The same value, whatever type its column has by now.
std::string meaning_of(const Value& value, const std::string& text) {
  switch (value.meaning) {
    case Meaning::number:
      return canonical_number(text);
    case Meaning::boolean:
      return text == "1" ? "true" : text == "0" ? "false" : text;
    case Meaning::date:
    case Meaning::timestamp:
      return canonical_time(text);
    case Meaning::text:
      break;
  }
  return text;
}

class Widening : public NumbersFixture {
 protected:
  using Rows = std::map<int, Value>;

  // One load's text: its rows under the key `id`, or each row's value under the key `v`.
  std::string source(const Rows& rows, bool json, const std::string& tail) {
    std::string text = json ? "[" : "id,v" + tail + "\n";
    for (const auto& [id, value] : rows) {
      const auto written = value.quoted && json ? '"' + value.written + '"' : value.written;
      if (json) {
        text += fmt::format("{}{{\"id\":{},\"v\":{}}}", text.size() > 1 ? "," : "", id, written);
      } else {
        text += fmt::format("{},{}\n", id, value.quoted && id % 2 == 0 ? '"' + written + '"' : written);
      }
    }
    return json ? text + "]" + tail : text;
  }

  std::string pinned_type() {
    const auto found = select(
        "select json_extract(value, '$.type') from _sluice_table, json_each(columns, '$.columns') where "
        "json_extract(value, '$.name') = 'v'");
    return found.empty() ? "" : found.front();
  }
  void forget() {
    const auto connection = sql::open_database(*sql::parse_database_url(database()));
    ASSERT_TRUE((*connection)
                    ->execute("drop table if exists part; delete from _sluice_table; "
                              "delete from _sluice_fingerprint; delete from _sluice_change")
                    .has_value());
  }

  void play(std::uint64_t number);
};

void Widening::play(std::uint64_t number) {
  Random random(number * 2'654'435'761u + 5);
  loader_.mode = below(random, 2) == 0 ? LoadMode::upsert : LoadMode::sync;
  std::map<int, Value> stored;
  std::string story;
  const int loads = 2 + below(random, 3);
  for (int i = 0; i < loads; ++i) {
    const bool json = below(random, 2) == 0;
    Rows rows;
    const auto& first = kMakers[random() % kMakers.size()];
    const auto& second = below(random, 3) == 0 ? kMakers[random() % kMakers.size()] : first;
    story += fmt::format("{}{} {} and {}", i == 0 ? "" : ", then ", json ? "JSON" : "CSV", first.name,
                         second.name);
    SCOPED_TRACE(fmt::format("chain {}: {}", number, story));
    const int count = 1 + below(random, 6);
    for (int row = 0; row < count; ++row) {
      const int id = 1 + below(random, 8);
      // What is there stays, now and then: an unchanged row in a widened column.
      if (const auto before = stored.find(id); before != stored.end() && below(random, 3) == 0) {
        rows[id] = before->second;
      } else {
        rows[id] = (below(random, 2) == 0 ? first : second).make(random);
      }
    }
    const auto receipt = load(source(rows, json, ""));
    ASSERT_FALSE(receipt.error) << receipt.error->describe();
    ASSERT_EQ(receipt.rejected, 0);
    for (const auto& [id, value] : rows) stored[id] = value;
    const auto type = pinned_type();
    for (const auto& line : select("select id, v from part")) {
      const auto bar = line.find('|');
      const int id = std::stoi(line.substr(0, bar));
      const auto text = line.substr(bar + 1);
      ASSERT_TRUE(stored.contains(id));
      const auto& value = stored[id];
      ASSERT_EQ(meaning_of(value, text), meaning_of(value, value.written)) << "row " << id << ", " << type;
      if (type == "text" && rows.contains(id)) {
        ASSERT_EQ(text, value.written);
      }
    }
    ASSERT_EQ(select("select count(*) from part").front(), std::to_string(stored.size()));
    // Twice again: the same bytes, and the same rows in other bytes.
    for (const auto* tail : {"", "\n"}) {
      ASSERT_EQ(loaded(source(rows, json, tail)), fmt::format("+0 ~0 -0 ={}", rows.size()));
    }
    ASSERT_EQ(pinned_type(), type);
  }
}

TEST_F(Widening, chains_of_loads_keep_every_value_and_come_to_rest) {
  const auto number_from = [](const char* variable, std::uint64_t fallback) {
    const char* text = std::getenv(variable);
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
  };
  const auto first = number_from("SLUICE_SEED", 1);
  for (std::uint64_t number = first; number < first + number_from("SLUICE_PROPERTY_CASES", 120); ++number) {
    play(number);
    ASSERT_FALSE(HasFailure()) << "again: SLUICE_PROPERTY_CASES=1 SLUICE_SEED=" << number;
    forget();
  }
}

TEST_F(Widening, dates_widened_twice_come_to_rest) {
  EXPECT_EQ(loaded("id,v\n1,2024-01-31\n2,2024-02-01\n3,2024-02-02\n"), "+3 ~0 -0 =0");
  EXPECT_EQ(loaded("id,v\n1,2024-01-31\n2,2024-02-01 10:00:00\n"), "+0 ~1 -0 =1");
  EXPECT_EQ(loaded("id,v\n1,2024-01-31\n2,2024-02-01 10:00:00\n"), "+0 ~0 -0 =2");
  EXPECT_EQ(loaded("id,v\n1,2024-01-31\n2,soon\n"), "+0 ~2 -0 =0") << "row 1 gets the source's spelling";
  EXPECT_EQ(loaded("id,v\n1,2024-01-31\n2,soon\n"), "+0 ~0 -0 =2");
  EXPECT_THAT(select("select v from part order by id"),
              testing::ElementsAre("2024-01-31", "soon", "2024-02-02T00:00:00Z"));
}

// The values are the keys: however they are written, and whatever their column becomes, a key stays a key.
TEST_F(Widening, keys_neither_double_nor_merge) {
  loader_.target.key = {"v"};
  Random random(7);
  for (int chain = 0; chain < 150; ++chain) {
    std::map<std::string, std::string> keys;  // by meaning: a spelling
    for (int i = 0; i < 3; ++i) {
      std::string text = "[";
      int fresh = 0;
      std::set<std::string> here;
      for (int row = 0; row < 6; ++row) {
        std::string meaning;
        std::string written;
        if (!keys.empty() && below(random, 2) == 0) {
          auto at = keys.begin();
          std::advance(at, below(random, static_cast<int>(keys.size())));
          meaning = at->first;
          // Another spelling of the same number.
          written = meaning.find_first_not_of("0123456789.") == std::string::npos && below(random, 2) == 0
                        ? meaning + (meaning.find('.') == std::string::npos ? ".0E0" : "0e+0")
                        : at->second;
        } else {
          const auto& maker = kMakers[static_cast<std::size_t>(below(random, i == 0 ? 2 : 9))];
          written = maker.make(random).written;
          meaning = canonical_number(written);
        }
        if (!here.insert(meaning).second) continue;
        if (keys.emplace(meaning, written).second) ++fresh;
        text += fmt::format("{}{{\"id\":{},\"v\":{}}}", text.size() > 1 ? "," : "", 1, written);
      }
      SCOPED_TRACE(fmt::format("chain {}, load {}: {}", chain, i, text));
      ASSERT_EQ(loaded(text + "]"),
                fmt::format("+{} ~0 -0 ={}", fresh, here.size() - static_cast<std::size_t>(fresh)));
      std::set<std::string> found;
      for (const auto& key : select("select v from part")) found.insert(canonical_number(key));
      ASSERT_EQ(found.size(), keys.size());
      for (const auto& [meaning, written] : keys) ASSERT_TRUE(found.contains(meaning)) << written;
    }
    forget();
  }
}

}  // namespace
}  // namespace sluice::load::test
