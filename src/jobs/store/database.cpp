#include "jobs/store/database.h"

#include <bit>
#include <cstdint>

namespace sluice::jobs {
namespace {

// Bytes of the UTF-8 character at `at`; 0 where there is none (or a NUL).
std::size_t character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(at + i < text.size() ? text[at + i] : 0);
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned char first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return follows(1) ? 2 : 0;
  if (first < 0xf0) {
    const bool too_long = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) >= 0xa0;
    return follows(1) && follows(2) && !too_long && !surrogate ? 3 : 0;
  }
  const bool outside =
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90) || first > 0xf4;
  return follows(1) && follows(2) && follows(3) && !outside ? 4 : 0;
}

}  // namespace

bool is_storable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string storable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character(text, at);
    if (length == 0) {
      clean += "\xef\xbf\xbd";
      ++at;
    } else {
      clean += text.substr(at, length);
      at += length;
    }
  }
  return clean;
}

Result<sql::Statement*> Database::bound(std::string_view sql, std::span<const sql::Value> values) {
  Recent& recent = recent_[(std::bit_cast<std::uintptr_t>(sql.data()) >> 4) % recent_.size()];
  if (recent.text != sql || recent.statement == nullptr) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
      SLUICE_TRY(auto statement, connection_->prepare(sql));
      found = statements_.emplace(std::string(sql), std::move(statement)).first;
    }
    recent = {found->first, found->second.get()};
  }
  sql::Statement& statement = *recent.statement;
  const bool any_bytes = connection_->dialect() == sql::Dialect::sqlite;
  storable_.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    sql::Value value = values[i];
    if (!any_bytes && value.kind == sql::Kind::text && !is_storable(value.bytes))
      value.bytes = storable_.emplace_back(storable(value.bytes));
    statement.bind(static_cast<int>(i + 1), value);
  }
  return &statement;
}

Result<int> Database::run_values(std::string_view sql, std::span<const sql::Value> values) {
  SLUICE_TRY(sql::Statement* const statement, bound(sql, values));
  SLUICE_CHECK(statement->run());
  return static_cast<int>(connection_->changes());
}

Result<void> Database::each_row(std::string_view sql, const OnRow& on_row,
                                std::span<const sql::Value> values) {
  SLUICE_TRY(sql::Statement* const statement, bound(sql, values));
  for (;;) {
    SLUICE_TRY(const bool there, statement->step());
    if (!there) return {};
    auto more = on_row(Row(*statement));
    if (more && *more) continue;
    statement->reset();
    if (!more) return std::unexpected(std::move(more).error());
    return {};
  }
}

}  // namespace sluice::jobs
