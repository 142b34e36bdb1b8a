#include "upsert/row_writer.h"

#include "base/text.h"
#include "sql/identifier.h"

#include <fmt/format.h>

namespace sluice::upsert {

using sql::quote_identifier;

RowWriter::RowWriter(sql::Connection& connection, const TablePlan& plan, std::vector<Affinity> affinities,
                     bool refill)
    : connection_(connection),
      schema_(plan.schema),
      affinities_(std::move(affinities)),
      texts_(plan.schema->columns.size()),
      values_(plan.schema->columns.size() + 1),
      table_(quote_identifier(plan.table)),
      has_deleted_at_(plan.has_deleted_at) {
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    if (!schema_->is_key(i)) others_.push_back(i);
  }
  if (refill) others_ = plan.made_anew;
  for (const std::size_t index : schema_->key) {
    if (!where_.empty()) where_ += " and ";
    where_ += quote_identifier(schema_->columns[index].name) + " = ?";
  }
}

Result<void> RowWriter::prepare(Statement& statement, const std::string& sql) {
  SLUICE_TRY(statement, connection_.prepare(sql));
  return {};
}

std::unexpected<Error> RowWriter::too_many_digits(std::string_view number, std::size_t column) const {
  return fail(ErrorCode::internal,
              fmt::format("the number {} would be rounded in column {}, which is not kept as text", number,
                          schema_->columns[column].name));
}

Result<void> RowWriter::put_key(std::size_t first, const RowBatch& batch, std::size_t row) {
  for (const std::size_t column : schema_->key) SLUICE_CHECK(put(first++, batch, column, row));
  return {};
}

Result<std::int64_t> RowWriter::run_counted(sql::Statement& statement, std::size_t parameters) {
  SLUICE_CHECK(statement.run_with(first_values(parameters)));
  return connection_.changes();
}

Result<bool> RowWriter::find(sql::Statement& statement, const RowBatch& keys, std::size_t row) {
  SLUICE_CHECK(put_key(0, keys, row));
  int parameter = 1;
  for (const sql::Value& value : first_values(schema_->key.size())) statement.bind(parameter++, value);
  return statement.step();
}

Result<void> RowWriter::insert(const RowBatch& batch, std::size_t row) {
  const std::size_t columns = affinities_.size();
  if (insert_ == nullptr) {
    std::string names;
    std::string marks;
    for (const Column& column : schema_->columns) {
      names += (names.empty() ? "" : ", ") + quote_identifier(column.name);
      marks += marks.empty() ? "?" : ", ?";
    }
    SLUICE_CHECK(prepare(insert_, fmt::format("insert into {} ({}) values ({})", table_, names, marks)));
  }
  for (std::size_t i = 0; i < columns; ++i) {
    const ColumnData& column = batch.columns()[i];
    if (!encode_cell(column, row, affinities_[i], texts_[i], values_[i])) {
      return too_many_digits(column.bytes[row], i);
    }
  }
  return insert_->run_with(first_values(columns));
}

Result<std::int64_t> RowWriter::update(const RowBatch& batch, std::size_t row, bool restore) {
  const bool unmark = restore && has_deleted_at_;
  Statement& statement = unmark ? restore_ : update_;
  if (statement == nullptr) {
    std::string set;
    for (const std::size_t i : others_) {
      set += (set.empty() ? "" : ", ") + quote_identifier(schema_->columns[i].name) + " = ?";
    }
    if (unmark) set += (set.empty() ? "" : ", ") + quote_identifier(kDeletedAt) + " = null";
    // All columns are key: the row is there, or it is not.
    if (set.empty()) set = fmt::format("{0} = {0}", quote_identifier(schema_->columns[schema_->key[0]].name));
    SLUICE_CHECK(prepare(statement, fmt::format("update {} set {} where {}", table_, set, where_)));
  }
  std::size_t parameter = 0;
  for (const std::size_t i : others_) SLUICE_CHECK(put(parameter++, batch, i, row));
  SLUICE_CHECK(put_key(parameter, batch, row));
  return run_counted(*statement, parameter + schema_->key.size());
}

Result<std::int64_t> RowWriter::remove(const RowBatch& keys, std::size_t row) {
  if (remove_ == nullptr)
    SLUICE_CHECK(prepare(remove_, fmt::format("delete from {} where {}", table_, where_)));
  SLUICE_CHECK(put_key(0, keys, row));
  return run_counted(*remove_, schema_->key.size());
}

Result<std::int64_t> RowWriter::mark_deleted(const RowBatch& keys, std::size_t row, std::string_view at) {
  if (mark_ == nullptr) {
    SLUICE_CHECK(prepare(
        mark_, fmt::format("update {} set {} = ? where {}", table_, quote_identifier(kDeletedAt), where_)));
  }
  values_[0] = sql::Value::of(at);
  SLUICE_CHECK(put_key(1, keys, row));
  return run_counted(*mark_, schema_->key.size() + 1);
}

Result<bool> RowWriter::read(const RowBatch& keys, std::size_t row, RowBatch& out) {
  if (read_ == nullptr) {
    std::vector<std::string> names;
    for (const Column& column : schema_->columns) names.push_back(column.name);
    SLUICE_CHECK(prepare(
        read_, fmt::format("select {} from {} where {}", sql::quote_identifiers(names), table_, where_)));
  }
  SLUICE_TRY(const bool found, find(*read_, keys, row));
  if (!found) return false;
  for (std::size_t i = 0; i < affinities_.size(); ++i) {
    ColumnData& column = out.columns()[i];
    if (!read_cell(read_->column(static_cast<int>(i)), column, out.arena()))
      push_foreign(column, out.arena());
  }
  out.ordinals.push_back(0);
  read_->reset();
  return true;
}

std::string RowWriter::key_text(const RowBatch& keys, std::size_t row) {
  std::string text;
  for (const std::size_t column : schema_->key) {
    text += fmt::format("{}{} = ", text.empty() ? "" : ", ", printable(schema_->columns[column].name));
    sql::Value value;
    if (!encode_cell(keys.columns()[column], row, affinities_[column], texts_[column], value)) value = {};
    switch (value.kind) {
      case sql::Kind::null:
        text += "NULL";
        break;
      case sql::Kind::integer:
        text += std::to_string(value.integer);
        break;
      case sql::Kind::real:
        text += fmt::format("{}", value.real);
        break;
      default:
        text += fmt::format("'{}'", printable(value.bytes, 100));
    }
  }
  return text;
}

}  // namespace sluice::upsert
