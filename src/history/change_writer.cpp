#include "history/change_writer.h"

#include "history/row_json.h"

#include <fmt/format.h>

namespace sluice::history {
namespace {

class Cells {
 public:
  explicit Cells(std::string& out) : out_(out) { out_ = '['; }
  void add(const Schema& schema, std::size_t column, const LoggedChange& change) {
    if (out_.size() > 1) out_ += ',';
    out_ += "{\"name\":";
    append_json_string(out_, schema.columns[column].name);
    if (change.before != nullptr) {
      out_ += ",\"before\":";
      append_json(out_, change.before->columns()[column], change.before_row);
    }
    if (change.after != nullptr) {
      out_ += ",\"after\":";
      append_json(out_, change.after->columns()[column], change.after_row);
    }
    out_ += '}';
  }
  void close() { out_ += ']'; }

 private:
  std::string& out_;
};

}  // namespace

Result<void> ChangeWriter::write(std::string_view op) {
  if (insert_ == nullptr) {
    SLUICE_TRY(insert_, connection_.prepare(
                            "insert into _sluice_change (job, seq, op, key, cells) values (?, ?, ?, ?, ?)"));
  }
  insert_->bind_int64(1, job_.value());
  insert_->bind_int64(2, ++seq_);
  insert_->bind_text(3, op);
  insert_->bind_text(4, key_json_);
  insert_->bind_text(5, cells_json_);
  return insert_->run();
}

Result<void> ChangeWriter::add(const LoggedChange& change) {
  if (level_ == ChangeLog::off) return {};
  key_json_.clear();
  cells_json_.clear();
  append_key_json(key_json_, *change.key, change.key_row);
  if (level_ == ChangeLog::full) {
    const Schema& schema = change.key->schema();
    Cells cells(cells_json_);
    const bool one_sided = change.before == nullptr || change.after == nullptr;
    if (change.op == ChangeOp::restore || !one_sided) {
      for (const std::size_t column : change.changed) cells.add(schema, column, change);
    } else if (change.before != nullptr || change.after != nullptr) {
      for (std::size_t i = 0; i < schema.columns.size(); ++i) {
        const bool null_after =
            change.after != nullptr && change.after->columns()[i].null[change.after_row] != 0;
        const bool null_before =
            change.before != nullptr && change.before->columns()[i].null[change.before_row] != 0;
        if (!schema.is_key(i) && !null_after && !null_before) cells.add(schema, i, change);
      }
    }
    cells.close();
  }
  return write(to_string(change.op));
}

Result<void> ChangeWriter::add_first_load(std::int64_t rows) {
  if (level_ == ChangeLog::off || rows == 0) return {};
  key_json_.clear();
  cells_json_ = fmt::format("{{\"rows\":{}}}", rows);
  return write("load");
}

}  // namespace sluice::history
