// Findings, rejects with keys, read-ahead, stopping, cuts, and random tables in every format.
#include "decode/convert.h"
#include "decode/decode_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace sluice::decode {
namespace {

SchemaPtr schema(std::vector<Column> columns, std::vector<std::size_t> key = {}) {
  auto result = std::make_shared<Schema>();
  for (auto& column : columns) {
    column.id = static_cast<int>(result->columns.size()) + 1;
    if (column.from.empty()) column.from = column.name;
    result->columns.push_back(std::move(column));
  }
  result->key = std::move(key);
  return result;
}
Column column(std::string name, ValueType type) { return {0, std::move(name), "", type, 0, 0, false}; }

TEST(Findings, values_too_wide_for_an_inferred_column_are_reported_and_null) {
  for (const std::string_view text :
       {"id,n\n1,5\n2,1.25\n3,x7\n", R"([{"id":1,"n":5},{"id":2,"n":1.25},{"id":3,"n":"x7"}])"}) {
    const auto input = input_of(text);
    const auto seen = *probe(input, {}, {});
    OpenOptions options;
    options.strict = {true, false};
    const auto all = *decode_all(
        input, {}, seen, schema({column("id", ValueType::int64), column("n", ValueType::int64)}), options);
    EXPECT_EQ(all.rejected, 0u);
    EXPECT_EQ(all.rows[1][1], "\\N");
    ASSERT_EQ(all.findings.misfits.size(), 1u);
    EXPECT_EQ(all.findings.misfits[0].first, 1u);
    EXPECT_EQ(all.findings.misfits[0].second.type, ValueType::text);
  }
}

TEST(Findings, an_integer_column_with_fractions_widens_to_decimal) {
  const auto input = input_of("n\n5\n1.25\n");
  OpenOptions options;
  options.strict = {false};
  const auto all =
      *decode_all(input, {}, *probe(input, {}, {}), schema({column("n", ValueType::int64)}), options);
  ASSERT_EQ(all.findings.misfits.size(), 1u);
  EXPECT_EQ(all.findings.misfits[0].second.type, ValueType::decimal);
  EXPECT_EQ(all.findings.misfits[0].second.scale, 2);
}

TEST(Findings, new_fields_come_with_their_types_unless_ignored) {
  for (const std::string_view text :
       {"id,x,y\n1,2.5,q\n2,3,\n", R"([{"id":1,"x":2.5,"y":"q"},{"id":2,"x":3}])"}) {
    const auto input = input_of(text);
    const auto seen = *probe(input, {}, {});
    OpenOptions options;
    auto all = *decode_all(input, {}, seen, schema({column("id", ValueType::int64)}), options);
    ASSERT_EQ(all.findings.new_fields.size(), 2u);
    EXPECT_EQ(all.findings.new_fields[0].name, "x");
    EXPECT_EQ(all.findings.new_fields[0].type, ValueType::decimal);
    EXPECT_TRUE(all.findings.new_fields[1].nullable);
    options.ignored_fields = {"x"};
    all = *decode_all(input, {}, seen, schema({column("id", ValueType::int64)}), options);
    ASSERT_EQ(all.findings.new_fields.size(), 1u);
    EXPECT_EQ(all.findings.new_fields[0].name, "y");
    options.ignore_new_fields = true;
    EXPECT_TRUE(decode_all(input, {}, seen, schema({column("id", ValueType::int64)}), options)
                    ->findings.new_fields.empty());
  }
}

TEST(Rejects, keep_their_key_their_text_and_their_place) {
  for (const std::string_view text :
       {"id,n\n1,5\n2,x\n3,7\n", "{\"id\":1,\"n\":5}\n{\"id\":2,\"n\":\"x\"}\n{\"id\":3,\"n\":7}\n"}) {
    const auto input = input_of(text);
    const auto all =
        *decode_all(input, {}, *probe(input, {}, {}),
                    schema({column("id", ValueType::int64), column("n", ValueType::int64)}, {0}));
    EXPECT_EQ(all.rejected, 1u);
    EXPECT_EQ(all.ordinals, (std::vector<std::uint64_t>{0, 2}));
    ASSERT_EQ(all.rejects.size(), 1u);
    EXPECT_EQ(all.rejects[0].ordinal, 1u);
    EXPECT_NE(all.rejects[0].raw.find('x'), std::string::npos);
    EXPECT_EQ(all.rejected_keys, (std::vector<std::vector<std::string>>{{"2", "\\N"}}));
  }
}

TEST(Rejects, the_cap_bounds_what_is_kept_and_never_the_count) {
  std::string text = "id\n";
  for (int i = 0; i < 100; ++i) text += "x\n";
  const auto input = input_of(text);
  OpenOptions options;
  options.reject_cap = 7;
  const auto all =
      *decode_all(input, {}, *probe(input, {}, {}), schema({column("id", ValueType::int64)}), options);
  EXPECT_EQ(all.rejected, 100u);
  EXPECT_EQ(all.rejects.size(), 7u);
}

TEST(ReadAhead, gives_the_same_rows_and_findings) {
  std::string text = "id,name\n";
  for (int i = 0; i < 5000; ++i) text += fmt::format("{},\"name \"\"{}\"\"\"\n", i, i);
  const auto input = input_of(text);
  const auto seen = *probe(input, {}, {});
  OpenOptions options;
  options.block_bytes = 1000;
  options.batch_rows = 50;
  const auto direct = *decode_all(input, {}, seen, schema_of(seen), options);
  const auto ahead = read_ahead(*open(input, {}, seen, schema_of(seen), options, {}), 3);
  const auto all = read_all(*ahead);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->rows, direct.rows);
  EXPECT_EQ(all->rows.size(), 5000u);
  EXPECT_EQ(ahead->bytes_read(), text.size());
}

TEST(ReadAhead, may_be_dropped_in_the_middle_and_passes_errors_on) {
  std::string text = "[";
  for (int i = 0; i < 5000; ++i) text += fmt::format("{}{{\"id\":{}}}", i == 0 ? "" : ",", i);
  const auto input = input_of(text + "]");
  const auto seen = *probe(input, {}, {});
  OpenOptions options;
  options.batch_rows = 10;
  RowBatch batch;
  const auto dropped = read_ahead(*open(input, {}, seen, schema_of(seen), options, {}));
  ASSERT_TRUE(*dropped->next(batch, {}));
  const auto cut = input_of(text);
  const auto failing = read_ahead(*open(cut, {}, seen, schema_of(seen), options, {}));
  const auto all = read_all(*failing);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, ErrorCode::truncated);
}

TEST(Reading, stops_when_asked) {
  const auto input = input_of("id\n1\n");
  const auto seen = *probe(input, {}, {});
  const auto decoder = *open(input, {}, seen, schema_of(seen), {}, {});
  std::stop_source stop;
  stop.request_stop();
  RowBatch batch;
  const auto more = decoder->next(batch, stop.get_token());
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::cancelled);
}

TEST(Reading, a_field_of_three_megabytes_is_one_field) {
  const std::string large(3'000'000, 'x');
  for (const auto& text :
       {"id,t\n1,\"" + large + "\"\n2,y\n", "[{\"id\":1,\"t\":\"" + large + "\"},{\"id\":2,\"t\":\"y\"}]",
        "{\"id\":1,\"t\":\"" + large + "\"}\n{\"id\":2,\"t\":\"y\"}\n"}) {
    const auto all = decode_inferred(input_of(text));
    ASSERT_TRUE(all) << all.error().describe();
    ASSERT_EQ(all->rows.size(), 2u);
    EXPECT_EQ(all->rows[0][1].size(), large.size());
  }
}

// Documents cut at every byte: JSON always says so. Line formats say so unless the cut leaves whole records.
TEST(Reading, a_document_cut_anywhere_never_yields_fewer_rows_in_silence) {
  const std::string json =
      R"({"n":[1,{"q":"]"}],"data":[{"id":1,"t":"a\"b"},{"id":2,"t":"[{"},{"id":3,"t":null}],"x":{"y":"z"}})";
  for (std::size_t n = 0; n < json.size(); ++n) {
    DecodeSpec spec;
    spec.format = Format::json;
    OpenOptions options;
    options.block_bytes = 16;
    EXPECT_FALSE(decode_inferred(input_of(json.substr(0, n)), spec, options)) << json.substr(0, n);
  }
  const std::string csv = "id,t,u\n1,\"a\nb\",x\n2,\"c\"\"d\",y\n3,e,z\n";
  const std::string lines = "{\"id\":1,\"t\":\"a\"}\n{\"id\":2,\"t\":\"b\"}\n{\"id\":3,\"t\":\"c\"}\n";
  const auto full_rows = [](std::string_view text, std::size_t n, bool is_csv) {
    // Rows that are whole, or whole but for their line end, in the first n bytes.
    DecodeSpec spec;
    spec.format = is_csv ? Format::csv : Format::ndjson;
    const auto all = decode_inferred(input_of(text.substr(0, n)), spec);
    if (!all) return;
    const auto whole = *decode_inferred(input_of(text), spec);
    for (std::size_t r = 0; r < all->rows.size(); ++r) {
      for (std::size_t c = 0; c + 1 < all->rows[r].size(); ++c)
        EXPECT_EQ(all->rows[r][c], whole.rows[r][c]) << n;
    }
    EXPECT_EQ(all->rejected, 0u) << text.substr(0, n);
  };
  for (std::size_t n = 9; n < csv.size(); ++n) full_rows(csv, n, true);
  for (std::size_t n = 1; n < lines.size(); ++n) full_rows(lines, n, false);
}

// A random table, rendered by somebody careless about quoting, comes back cell by cell.
class RandomTable {
 public:
  explicit RandomTable(unsigned seed) : random_(seed) {
    const auto count = pick(1, 6);
    for (std::size_t c = 0; c < count; ++c) types_.push_back(static_cast<ValueType>(pick(0, 6)));
    const auto rows = pick(0, 60);
    for (std::size_t r = 0; r < rows; ++r) {
      auto& row = rows_.emplace_back();
      for (const auto type : types_) row.push_back(pick(0, 7) == 0 ? std::string("\\N") : cell(type));
    }
  }
  SchemaPtr schema_of_types() {
    std::vector<Column> columns;
    for (std::size_t c = 0; c < types_.size(); ++c)
      columns.push_back(column(fmt::format("c{}", c), types_[c]));
    return schema(std::move(columns));
  }
  std::string csv() {
    const std::string_view end = pick(0, 1) == 0 ? "\n" : "\r\n";
    const char delimiter = ",;\t|"[pick(0, 3)];
    std::string text;
    for (std::size_t c = 0; c < types_.size(); ++c)
      text += fmt::format("{}c{}", c == 0 ? std::string() : std::string(1, delimiter), c);
    text += end;
    for (const auto& row : rows_) {
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c > 0) text += delimiter;
        if (row[c] == "\\N") continue;
        const bool must = row[c].empty() || row[c].find_first_of(",;\t|\r\n\"") != std::string::npos;
        if (!must && pick(0, 2) != 0) {
          text += row[c];
          continue;
        }
        text += '"';
        for (const char x : row[c]) text += x == '"' ? std::string("\"\"") : std::string(1, x);
        text += '"';
      }
      // A lone NULL would be a blank line.
      if (row.size() == 1 && row[0] == "\\N") text += delimiter;
      text += end;
    }
    delimiter_ = delimiter;
    return text;
  }
  std::string record(const std::vector<std::string>& row) {
    std::string text = "{";
    bool first = true;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const bool null = row[c] == "\\N";
      if (null && pick(0, 1) == 0) continue;
      text += fmt::format("{}{}\"c{}\"{}:", first ? "" : ",", pick(0, 2) == 0 ? " " : "", c,
                          pick(0, 2) == 0 ? " " : "");
      first = false;
      const bool bare = types_[c] == ValueType::int64 || types_[c] == ValueType::boolean ||
                        types_[c] == ValueType::decimal || types_[c] == ValueType::real;
      if (null) {
        text += "null";
      } else if (bare) {
        text += row[c];
      } else {
        append_json_string(text, row[c]);
      }
    }
    return text + "}";
  }
  std::string json() {
    std::string text = pick(0, 1) == 0 ? "[" : "{\"data\": [";
    const std::string tail = text == "[" ? "]" : "], \"more\": {\"x\": [1, \"]\"]}}";
    for (std::size_t r = 0; r < rows_.size(); ++r)
      text += (r == 0 ? "" : pick(0, 1) == 0 ? "," : " ,\n") + record(rows_[r]);
    return text + tail;
  }
  std::string ndjson() {
    std::string text;
    for (const auto& row : rows_) text += record(row) + "\n";
    return text;
  }
  const std::vector<std::vector<std::string>>& rows() const { return rows_; }
  std::size_t width() const { return types_.size(); }
  char delimiter() const { return delimiter_; }
  std::size_t pick(std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(random_);
  }

 private:
  std::string cell(ValueType type) {
    switch (type) {
      case ValueType::boolean:
        return pick(0, 1) == 0 ? "true" : "false";
      case ValueType::int64:
        return fmt::format("{}", static_cast<std::int64_t>(random_()) >> pick(0, 62));
      case ValueType::decimal:
        return fmt::format("{}{}.{}{}", pick(0, 1) == 0 ? "-" : "", pick(0, 999'999), pick(0, 999),
                           pick(1, 9));
      case ValueType::real:
        return fmt::format("{}", static_cast<double>(pick(0, 1'000'000)) / 1024);
      case ValueType::date:
        return format_date(static_cast<std::int64_t>(pick(0, 200'000)) - 100'000);
      case ValueType::timestamp:
        return format_timestamp(static_cast<std::int64_t>(pick(0, 4'000'000'000'000'000)) -
                                2'000'000'000'000'000);
      case ValueType::text:
      case ValueType::json:
        break;
    }
    static constexpr std::string_view kPieces[] = {"a", "ü",  "😀", ",", ";",  "\"", "\n", "\r\n",
                                                   "|", "\t", "[",  "}", "\\", " ",  "0"};
    std::string text;
    for (auto n = pick(0, 12); n > 0; --n) text += kPieces[pick(0, std::size(kPieces) - 1)];
    return text;
  }

  std::mt19937_64 random_;
  std::vector<ValueType> types_;
  std::vector<std::vector<std::string>> rows_;
  char delimiter_ = ',';
};

TEST(Property, random_tables_come_back_from_every_format_and_block_size) {
  const char* const asked = std::getenv("SLUICE_PROPERTY_CASES");
  const unsigned cases = asked != nullptr ? static_cast<unsigned>(std::atoi(asked)) : 300;
  for (unsigned seed = 1; seed <= cases; ++seed) {
    SCOPED_TRACE(seed);
    RandomTable table(seed);
    for (const auto format : {Format::csv, Format::json, Format::ndjson}) {
      const auto text = format == Format::csv    ? table.csv()
                        : format == Format::json ? table.json()
                                                 : table.ndjson();
      SCOPED_TRACE(text);
      const auto input = input_of(text);
      DecodeSpec spec;
      spec.format = format;
      spec.csv.header = true;
      spec.csv.quote = '"';
      spec.csv.decimal = '.';
      if (format == Format::csv) spec.csv.delimiter = table.delimiter();
      if (format == Format::json) spec.records = text.starts_with('[') ? "$" : "data";
      auto seen = probe(input, spec, {});
      ASSERT_TRUE(seen) << seen.error().describe();
      if (format == Format::csv && table.width() == 1) seen->csv.trailing_delimiter = true;
      OpenOptions options;
      options.block_bytes = table.pick(1, 200);
      options.batch_rows = table.pick(1, 20);
      const auto all = decode_all(input, spec, *seen, table.schema_of_types(), options);
      ASSERT_TRUE(all) << all.error().describe();
      ASSERT_EQ(all->rejected, 0u) << all->rejects.front().message;
      ASSERT_EQ(all->rows, table.rows());
    }
  }
}

}  // namespace
}  // namespace sluice::decode
