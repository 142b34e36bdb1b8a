// A target table for a test: columns and rows as short texts, keys in a plain encoding of their own.
#pragma once

#include "model/change_set.h"
#include "model/row_batch.h"
#include "sql/test_database.h"
#include "upsert/apply.h"
#include "upsert/iso_text.h"
#include "upsert/table_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace sluice::upsert {

using Cell = std::optional<std::string>;

// "id int64, amount decimal(10,2), long decimal(30,4)+, note text"; + is a wide one; the key by name.
inline Schema schema_of(std::string_view columns, const std::vector<std::string>& key) {
  Schema schema;
  std::string text(columns);
  std::size_t from = 0;
  while (from < text.size()) {
    std::size_t depth = 0;
    std::size_t to = from;
    while (to < text.size() && (text[to] != ',' || depth > 0)) {
      if (text[to] == '(') ++depth;
      if (text[to] == ')') --depth;
      ++to;
    }
    std::string part = text.substr(from, to - from);
    part.erase(0, part.find_first_not_of(' '));
    const auto space = part.rfind(' ');
    Column column;
    column.name = part.substr(0, space);
    column.from = column.name;
    std::string type = part.substr(space + 1);
    if (type.ends_with('+')) {
      column.wide = true;
      type.pop_back();
    }
    if (const auto open = type.find('('); open != std::string::npos) {
      std::sscanf(type.c_str() + open, "(%d,%d)", &column.precision, &column.scale);
      type.resize(open);
    }
    column.type = value_type_from(type).value();
    schema.columns.push_back(std::move(column));
    from = to + 1;
  }
  for (const auto& name : key) schema.key.push_back(schema.find(name).value());
  return schema;
}

inline void add_row(RowBatch& batch, const std::vector<Cell>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    ColumnData& column = batch.columns()[i];
    if (!cells[i]) {
      column.push_null();
      continue;
    }
    std::int64_t fixed = 0;
    switch (column.type) {
      case ValueType::boolean:
      case ValueType::int64:
        column.push_fixed(std::stoll(*cells[i]));
        break;
      case ValueType::real:
        column.push_fixed(std::bit_cast<std::int64_t>(std::strtod(cells[i]->c_str(), nullptr)));
        break;
      case ValueType::date:
        if (!read_date(*cells[i], fixed)) std::abort();
        column.push_fixed(fixed);
        break;
      case ValueType::timestamp:
        if (!read_timestamp(*cells[i], fixed)) std::abort();
        column.push_fixed(fixed);
        break;
      default:
        column.push_bytes(batch.arena().store(*cells[i]));
    }
  }
  batch.ordinals.push_back(batch.ordinals.size());
}
inline RowBatch batch_of(const SchemaPtr& schema, const std::vector<std::vector<Cell>>& rows) {
  RowBatch batch(schema);
  for (const auto& row : rows) add_row(batch, row);
  return batch;
}

inline std::string cell_text(const ColumnData& column, std::size_t row) {
  if (column.null[row] != 0) return "NULL";
  std::array<char, 40> buffer;
  switch (column.type) {
    case ValueType::date:
      return std::string(write_date(column.fixed[row], buffer));
    case ValueType::timestamp:
      return std::string(write_timestamp(column.fixed[row], buffer));
    case ValueType::real:
      return fmt::format("{}", std::bit_cast<double>(column.fixed[row]));
    case ValueType::boolean:
    case ValueType::int64:
      return std::to_string(column.fixed[row]);
    default:
      return std::string(column.bytes[row]);
  }
}
inline std::string row_text(const RowBatch& batch, std::size_t row) {
  std::string text;
  for (const auto& column : batch.columns()) text += (text.empty() ? "" : "|") + cell_text(column, row);
  return text;
}

// Order-preserving enough for these tests: fixed values big-endian and biased, texts with a final NUL.
inline std::string key_of(const RowBatch& batch, std::size_t row) {
  std::string key;
  for (const std::size_t index : batch.schema().key) {
    const ColumnData& column = batch.columns()[index];
    if (is_fixed(column.type)) {
      const auto biased = static_cast<std::uint64_t>(column.fixed[row]) ^ (1ull << 63);
      for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(biased >> shift);
    } else {
      key += std::string(column.bytes[row]) + '\0';
    }
  }
  return key;
}
inline Result<void> decode_test_key(std::string_view key, RowBatch& out) {
  for (std::size_t i = 0; i < out.columns().size(); ++i) {
    if (!out.schema().is_key(i)) out.columns()[i].push_null();
  }
  for (const std::size_t index : out.schema().key) {
    ColumnData& column = out.columns()[index];
    if (is_fixed(column.type)) {
      std::uint64_t biased = 0;
      for (int i = 0; i < 8; ++i)
        biased = biased << 8 | static_cast<unsigned char>(key[static_cast<std::size_t>(i)]);
      column.push_fixed(static_cast<std::int64_t>(biased ^ (1ull << 63)));
      key.remove_prefix(8);
    } else {
      const auto end = key.find('\0');
      column.push_bytes(out.arena().store(key.substr(0, end)));
      key.remove_prefix(end + 1);
    }
  }
  out.ordinals.push_back(0);
  return {};
}
inline Fingerprint fingerprint_of(const RowBatch& batch, std::size_t row) {
  const std::string text = row_text(batch, row);
  return {std::hash<std::string>()(text), text.size()};
}

class TargetTable : public test::OnEveryDatabase {
 protected:
  struct Options {
    bool soft_delete = false;
    std::string loader = "Loader";
    bool full = true;
    Timestamp now = Timestamp(std::chrono::seconds(1'000'000'000));
  };

  Result<Inspection> look(bool full = true, const std::string& loader = "Loader") {
    return inspect(*connection_, table_, loader, full);
  }
  Result<TablePlan> plan(const Schema& wanted, const Options& options) {
    SLUICE_TRY(const auto found, look(options.full, options.loader));
    return plan_table(found, {table_, wanted, options.soft_delete});
  }
  Result<TablePlan> plan(const Schema& wanted) { return plan(wanted, Options()); }
  Result<std::unique_ptr<Apply>> begin(const Schema& wanted, const Options& options) {
    SLUICE_TRY(const auto found, look(options.full, options.loader));
    SLUICE_TRY(const auto table_plan, plan_table(found, {table_, wanted, options.soft_delete}));
    schema_ = table_plan.schema;
    return Apply::begin(*connection_, found, table_plan,
                        {options.loader, "mapping", 1, options.now, decode_test_key});
  }
  Result<std::unique_ptr<Apply>> begin(const Schema& wanted) { return begin(wanted, Options()); }

  // Streams rows into an empty table and commits.
  Result<Apply::Outcome> first_load(const Schema& wanted, const std::vector<std::vector<Cell>>& rows,
                                    const Options& options) {
    SLUICE_TRY(auto apply, begin(wanted, options));
    const RowBatch batch = batch_of(schema_, rows);
    SLUICE_CHECK(apply->insert_all(batch));
    SLUICE_CHECK(write_fingerprints(*apply, batch));
    SLUICE_TRY(auto outcome, apply->finish());
    SLUICE_CHECK(apply->commit());
    return outcome;
  }
  Result<Apply::Outcome> first_load(const Schema& wanted, const std::vector<std::vector<Cell>>& rows) {
    return first_load(wanted, rows, Options());
  }

  Result<void> write_fingerprints(Apply& apply, const RowBatch& batch) {
    if (batch.schema().key.empty() || batch.rows() == 0) return {};
    std::vector<std::pair<std::string, std::size_t>> order;
    for (std::size_t i = 0; i < batch.rows(); ++i) order.emplace_back(key_of(batch, i), i);
    std::sort(order.begin(), order.end());
    FingerprintChunkBuilder builder;
    for (const auto& [key, row] : order) builder.add(key, fingerprint_of(batch, row), 0);
    const auto entries = static_cast<std::uint32_t>(builder.size());
    return apply.add_chunk(order[0].first, entries, builder.finish());
  }

  struct Edit {
    ChangeOp op;
    std::vector<Cell> cells;  // of a removal: the key columns filled
  };
  ChangeSet changes_of(const std::vector<Edit>& edits) {
    ChangeSet changes(schema_, 1 << 20, std::filesystem::temp_directory_path());
    for (const Edit& edit : edits) {
      const RowBatch batch = batch_of(schema_, {edit.cells});
      if (edit.op == ChangeOp::remove) {
        changes.add_removal(key_of(batch, 0));
      } else {
        must_add(changes, edit.op, batch);
      }
    }
    return changes;
  }
  static void must_add(ChangeSet& changes, ChangeOp op, const RowBatch& batch) {
    test::must(changes.add(op, key_of(batch, 0), fingerprint_of(batch, 0), batch, 0));
  }
  // One run with these changes, committed.
  Result<Apply::Outcome> run(const Schema& wanted, const std::vector<Edit>& edits, const Options& options,
                             ApplyObserver* observer = nullptr) {
    SLUICE_TRY(auto apply, begin(wanted, options));
    ChangeSet changes = changes_of(edits);
    SLUICE_CHECK(apply->apply(changes, observer, {}));
    SLUICE_CHECK(apply->merge_fingerprints(changes));
    SLUICE_TRY(auto outcome, apply->finish());
    SLUICE_CHECK(apply->commit());
    return outcome;
  }
  Result<Apply::Outcome> run(const Schema& wanted, const std::vector<Edit>& edits) {
    return run(wanted, edits, Options());
  }

  // Every stored entry: "key-hex fingerprint flags".
  std::vector<std::string> stored_entries() {
    std::vector<std::string> entries;
    auto stored = test::must(StoredFingerprints::open(*connection_, table_));
    for (std::size_t i = 0; i < stored->directory().size(); ++i) {
      const std::string bytes = test::must(stored->load(i));
      const auto chunk = test::must(FingerprintChunk::parse(bytes));
      EXPECT_EQ(chunk.size(), stored->directory()[i].entries);
      EXPECT_EQ(chunk.key(0), stored->directory()[i].first_key);
      for (std::size_t j = 0; j < chunk.size(); ++j) {
        entries.push_back(
            fmt::format("{} {:x} {}", std::string(chunk.key(j)), chunk.fingerprint(j).lo, chunk.flags(j)));
      }
    }
    return entries;
  }
  // The table as model values, "1|x|NULL" a row, as TableReader gives them.
  std::vector<std::string> read_back(const Schema& wanted) {
    const auto found = test::must(look());
    auto reader =
        test::must(TableReader::open(*connection_, found, table_, std::make_shared<Schema>(wanted)));
    std::vector<std::string> rows;
    RowBatch batch;
    while (test::must(reader->next(batch, {}))) {
      for (std::size_t i = 0; i < batch.rows(); ++i) rows.push_back(row_text(batch, i));
    }
    return rows;
  }
  void execute(std::string_view sql) { test::must(connection_->execute(sql)); }
  std::vector<std::string> select(std::string_view sql) { return test::rows_of(*connection_, sql); }

  std::string table_ = "country";
  SchemaPtr schema_;
};

}  // namespace sluice::upsert
