#include "load/reference_table.h"

#include <algorithm>

namespace sluice::load::test {
namespace {

bool over(const std::optional<Limit>& limit, std::int64_t count, std::int64_t rows) {
  if (!limit) return false;
  if (!limit->share) return static_cast<double>(count) > limit->value;
  return rows >= 50 && static_cast<double>(count) > limit->value * static_cast<double>(rows);
}

}  // namespace

Kind join(Kind a, Kind b) {
  if (a == b) return a;
  const auto either = [&](Kind x, Kind y) { return (a == x && b == y) || (a == y && b == x); };
  if (either(Kind::integer, Kind::decimal)) return Kind::decimal;
  if (either(Kind::integer, Kind::real) || either(Kind::decimal, Kind::real)) return Kind::real;
  if (either(Kind::date, Kind::timestamp)) return Kind::timestamp;
  return Kind::text;
}

// As SQLite turns the stored value into text.
std::string render(const Cell& cell, Kind column) {
  if (cell.kind == Kind::boolean && column == Kind::boolean) return cell.text == "true" ? "1" : "0";
  if (column == Kind::real && cell.text.find('.') == std::string::npos) return cell.text + ".0";
  if (column == Kind::timestamp && cell.kind == Kind::date) return cell.text + "T00:00:00Z";
  return cell.text;
}

void PrintTo(const Content& content, std::ostream* out) {
  *out << content.live.size() << " rows, " << content.soft_deleted.size() << " soft-deleted";
  for (const auto* rows : {&content.live, &content.soft_deleted}) {
    *out << (rows == &content.live ? "\nlive:" : "\nsoft-deleted:");
    std::size_t shown = 0;
    for (const auto& row : *rows) {
      if (++shown > 40) break;
      *out << "\n ";
      for (const auto& [name, value] : row) *out << ' ' << name << "=<" << value << '>';
    }
  }
}

std::optional<std::vector<std::string>> ReferenceTable::key_of(const Row& row) const {
  std::vector<std::string> key;
  for (const auto& column : key_) {
    const auto cell = row.find(column);
    if (cell == row.end()) return std::nullopt;
    key.push_back(cell->second.text);
  }
  return key;
}

Rendered ReferenceTable::render(const Row& row) const {
  Rendered rendered;
  for (const auto& [column, cell] : row) {
    const auto kind = kinds_.find(column);  // unknown: a key that only somebody else has written
    rendered[column] = test::render(cell, kind == kinds_.end() ? cell.kind : kind->second);
  }
  return rendered;
}

std::int64_t ReferenceTable::live() const {
  return std::count_if(rows_.begin(), rows_.end(), [](const auto& stored) { return !stored.soft_deleted; });
}

void ReferenceTable::remove_by_hand(std::size_t position) {
  rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(position));
}

void ReferenceTable::drop_column_by_hand(const std::string& column) {
  for (auto& stored : rows_) stored.row.erase(column);
  lost_.insert(column);
}

void ReferenceTable::restore_by_hand() {
  for (auto& stored : rows_) stored.soft_deleted = false;
}

// The types are found out anew.
void ReferenceTable::drop_by_hand() {
  rows_.clear();
  kinds_.clear();
  lost_.clear();
}

// An append leaves rows alone, but for the columns that the table has lost. Whether it gave any back.
bool ReferenceTable::refill(Stored& stored, const Row& record) const {
  bool filled = false;
  for (const auto& column : lost_) {
    const auto cell = record.find(column);
    if (stored.soft_deleted || cell == record.end()) continue;
    stored.row[column] = cell->second;
    filled = true;
  }
  return filled;
}

bool ReferenceTable::has_key_of(const Row& row) const {
  return std::ranges::any_of(rows_, [&](const Stored& stored) { return key_of(stored.row) == key_of(row); });
}

Content ReferenceTable::content() const {
  Content content;
  for (const auto& stored : rows_) {
    (stored.soft_deleted ? content.soft_deleted : content.live).insert(render(stored.row));
  }
  return content;
}

// What the rows of a column hold when its type changes under them.
void ReferenceTable::widen_stored(const std::map<std::string, Kind>& before) {
  for (const auto& [column, kind] : before) {
    auto& now = kinds_.at(column);
    if (kind == Kind::integer && now == Kind::real) now = Kind::text;  // a double may round them
    if (kind != Kind::timestamp || now != Kind::text) continue;
    for (auto& stored : rows_) {
      const auto cell = stored.row.find(column);
      if (cell != stored.row.end()) cell->second.text = test::render(cell->second, kind);
    }
  }
}

Receipt ReferenceTable::load(const std::vector<Record>& records, const LoaderSpec& loader) {
  const auto rows_before = rows_;
  const auto kinds_before = kinds_;
  Receipt receipt;
  receipt.read = static_cast<std::int64_t>(records.size());
  receipt.rows_before = live();

  std::int64_t keyless = 0;
  std::set<std::vector<std::string>> spared;       // keys of rejected records
  std::map<std::vector<std::string>, Row> latest;  // the last record of each key
  std::vector<Row> all;                            // without a key each record counts
  for (const auto& record : records) {
    const auto key = key_of(record.row);
    if (record.bad || !key) {
      ++receipt.rejected;
      if (!key) ++keyless;
      if (key) spared.insert(*key);
      continue;
    }
    for (const auto& [column, cell] : record.row) {
      const auto [known, fresh] = kinds_.emplace(column, cell.kind);
      if (!fresh) known->second = join(known->second, cell.kind);
    }
    if (key_.empty()) {
      all.push_back(record.row);
    } else if (!latest.insert_or_assign(*key, record.row).second) {
      ++receipt.duplicates;
    }
  }

  widen_stored(kinds_before);

  if (loader.mode == LoadMode::replace) {
    receipt.deleted = receipt.rows_before;
    rows_.clear();
  }
  std::set<std::vector<std::string>> stored_keys;
  for (auto& stored : rows_) {
    if (key_.empty()) break;
    const auto key = *key_of(stored.row);
    stored_keys.insert(key);
    const auto record = latest.find(key);
    if (record == latest.end()) {
      if (loader.mode != LoadMode::sync || keyless > 0 || spared.contains(key) || stored.soft_deleted)
        continue;
      ++receipt.vanished;
      if (loader.vanished != Vanished::keep) ++receipt.deleted;
      continue;
    }
    if (loader.mode == LoadMode::append) {
      ++(refill(stored, record->second) ? receipt.updated : receipt.ignored);
    } else if (stored.soft_deleted) {
      ++receipt.restored;
    } else if (render(stored.row) == render(record->second)) {
      ++receipt.unchanged;
    } else {
      ++receipt.updated;
    }
    if (loader.mode != LoadMode::append) stored = {record->second, false};
  }
  if (loader.mode == LoadMode::sync && keyless == 0 && loader.vanished != Vanished::keep) {
    const auto gone = [&](const Stored& stored) {
      const auto key = *key_of(stored.row);
      return !stored.soft_deleted && !latest.contains(key) && !spared.contains(key);
    };
    if (loader.vanished == Vanished::remove) std::erase_if(rows_, gone);
    for (auto& stored : rows_) stored.soft_deleted = stored.soft_deleted || gone(stored);
  }
  for (const auto& [key, row] : latest) {
    if (stored_keys.contains(key)) continue;
    ++receipt.inserted;
    rows_.push_back({row, false});
  }
  for (const auto& row : all) {
    ++receipt.inserted;
    rows_.push_back({row, false});
  }
  receipt.rows_after = live();

  const bool full = loader.mode == LoadMode::sync || loader.mode == LoadMode::replace;
  const auto good = receipt.read - receipt.rejected;
  const bool breached = good < loader.guards.minimum_expected_records.value_or(full ? 1 : 0) ||
                        over(loader.guards.max_rejects, receipt.rejected, receipt.read) ||
                        (loader.mode != LoadMode::replace &&
                         over(loader.guards.max_deletes, receipt.deleted, receipt.rows_before));
  receipt.state = breached ? "failed" : "succeeded";
  receipt.applied = !breached;
  if (!breached) lost_.clear();
  if (breached) {
    rows_ = rows_before;
    kinds_ = kinds_before;
  }
  return receipt;
}

}  // namespace sluice::load::test
