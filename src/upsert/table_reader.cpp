#include "upsert/table_reader.h"

#include "sql/identifier.h"
#include "upsert/cell.h"
#include "upsert/table_ddl.h"

#include <fmt/format.h>

namespace sluice::upsert {
namespace {
constexpr std::size_t kBatchRows = 4096;

// A column that is about to get another type is read as what it will hold then: "true", where 1 is stored.
std::string read_expression(const Column& wanted, const Inspection& found) {
  const auto at = found.state ? found.state->schema->find(wanted.name) : std::nullopt;
  const auto stored = at ? found.state->schema->columns[*at].type : wanted.type;
  return stored == wanted.type ? sql::quote_identifier(wanted.name) : converted_sql(wanted, stored);
}
}  // namespace

Result<std::unique_ptr<TableReader>> TableReader::open(sql::Connection& connection, const Inspection& found,
                                                       std::string_view table, SchemaPtr wanted) {
  auto reader = std::unique_ptr<TableReader>(new TableReader);
  reader->wanted_columns_ = wanted->columns.size();
  reader->schema_ = wanted;
  if (found.find(kDeletedAt) != nullptr && !wanted->find(kDeletedAt)) {
    auto wider = std::make_shared<Schema>(*wanted);
    wider->columns.push_back({.name = std::string(kDeletedAt), .type = ValueType::text});
    reader->schema_ = std::move(wider);
  }
  std::vector<std::string> values;
  for (const Column& column : reader->schema_->columns) {
    if (found.find(column.name) == nullptr) {
      reader->at_.push_back(-1);
    } else {
      reader->at_.push_back(static_cast<int>(values.size()));
      values.push_back(read_expression(column, found));
    }
  }
  // No column in common: the rows still count.
  const std::string columns = values.empty() ? std::string("1") : fmt::format("{}", fmt::join(values, ", "));
  SLUICE_TRY(reader->select_,
             connection.prepare(fmt::format("select {} from {}", columns, sql::quote_identifier(table))));
  return reader;
}

Result<bool> TableReader::next(RowBatch& batch, std::stop_token stop) {
  batch.reset(schema_);
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
  while (!done_ && batch.rows() < kBatchRows) {
    SLUICE_TRY(const bool row, select_->step());
    if (!row) {
      done_ = true;
      break;
    }
    for (std::size_t i = 0; i < at_.size(); ++i) {
      ColumnData& out = batch.columns()[i];
      if (at_[i] < 0) {
        out.push_null();
      } else if (!read_cell(select_->column(at_[i]), out, batch.arena())) {
        if (schema_->is_key(i)) {
          out.push_null();
        } else {
          push_foreign(out, batch.arena());
        }
      }
    }
    batch.ordinals.push_back(ordinal_++);
  }
  return batch.rows() > 0;
}

std::function<bool(const RowBatch&, std::size_t)> TableReader::is_soft_deleted() const {
  const std::size_t column = wanted_columns_;
  if (schema_->columns.size() == column) return [](const RowBatch&, std::size_t) { return false; };
  return [column](const RowBatch& batch, std::size_t row) { return batch.columns()[column].null[row] == 0; };
}

}  // namespace sluice::upsert
