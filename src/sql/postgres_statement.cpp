#include "sql/postgres_statement.h"

#include "base/text.h"

#include <fmt/format.h>

#include <charconv>
#include <climits>
#include <cstdlib>

namespace sluice::sql {
namespace {

// Numbers of types that never change (pg_type.dat).
enum : unsigned {
  kBool = 16,
  kBytea = 17,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kBpchar = 1042,
  kVarchar = 1043
};

// Types whose binary form is their bytes: sent as they are, without a copy.
bool is_bytes(Oid type) {
  return type == kText || type == kVarchar || type == kBytea || type == kJson || type == kBpchar ||
         type == kName;
}

int hex(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// "\x0aff", as the server writes bytea.
std::string from_hex(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(hex(text[i]) * 16 + hex(text[i + 1]));
  return bytes;
}

}  // namespace

PostgresStatement::PostgresStatement(PostgresSession& session, std::string name, std::string sql,
                                     Answer description)
    : session_(session), name_(std::move(name)), sql_(std::move(sql)), description_(std::move(description)) {
  const auto parameters = static_cast<std::size_t>(PQnparams(description_.get()));
  texts_.resize(parameters);
  data_.resize(parameters);
  lengths_.resize(parameters);
  formats_.resize(parameters);
}

PostgresStatement::~PostgresStatement() { session_.deallocate(name_); }

void PostgresStatement::bind(int parameter, const Value& value) {
  const auto i = static_cast<std::size_t>(parameter - 1);
  if (parameter < 1 || i >= data_.size()) {
    bind_error_ = Error{ErrorCode::internal,
                        false,
                        session_.where(),
                        fmt::format("there is no parameter {} in: {}", parameter, printable(sql_, 300)),
                        {}};
    return;
  }
  data_[i] = nullptr;
  formats_[i] = 0;
  switch (value.kind) {
    case Kind::null:
      return;
    case Kind::integer:
      texts_[i] = std::to_string(value.integer);
      break;
    case Kind::real:
      texts_[i] = fmt::format("{}", value.real);
      break;
    case Kind::text:
    case Kind::blob:
      if (value.bytes.size() > INT_MAX) {
        bind_error_ = Error{ErrorCode::too_large, false, session_.where(), "a value of over 2 GB", {}};
        return;
      }
      if (value.kind == Kind::blob || is_bytes(PQparamtype(description_.get(), parameter - 1))) {
        data_[i] = value.bytes.data() == nullptr ? "" : value.bytes.data();
        lengths_[i] = static_cast<int>(value.bytes.size());
        formats_[i] = 1;
        return;
      }
      if (value.bytes.find('\0') != std::string_view::npos) {
        bind_error_ = Error{ErrorCode::malformed, false, session_.where(), "a text with a NUL byte", {}};
        return;
      }
      texts_[i] = value.bytes;
      break;
  }
  data_[i] = texts_[i].c_str();
}

Result<void> PostgresStatement::execute() {
  if (bind_error_) return std::unexpected(*std::exchange(bind_error_, std::nullopt));
  SLUICE_TRY(
      rows_,
      session_.run_prepared(
          name_, {static_cast<int>(data_.size()), data_.data(), lengths_.data(), formats_.data()}, sql_));
  row_ = -1;
  return {};
}

Result<bool> PostgresStatement::step() {
  if (!rows_) SLUICE_CHECK(execute());
  if (++row_ < PQntuples(rows_.get())) {
    decoded_.clear();
    return true;
  }
  reset();
  return false;
}

Result<void> PostgresStatement::run_with(std::span<const Value> values) {
  reset();
  int parameter = 1;
  for (const Value& value : values) bind(parameter++, value);
  SLUICE_CHECK(execute());
  reset();
  return {};
}

void PostgresStatement::reset() {
  rows_.reset();
  row_ = -1;
}

Value PostgresStatement::column(int index) const {
  if (!rows_ || PQgetisnull(rows_.get(), row_, index) != 0) return {};
  const std::string_view text(PQgetvalue(rows_.get(), row_, index),
                              static_cast<std::size_t>(PQgetlength(rows_.get(), row_, index)));
  switch (PQftype(rows_.get(), index)) {
    case kInt8:
    case kInt4:
    case kInt2:
    case kOid: {
      std::int64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return Value::of(number);
    }
    case kBool:
      return Value::of(std::int64_t{text == "t" ? 1 : 0});
    case kFloat4:
    case kFloat8:
      return Value::of(std::strtod(PQgetvalue(rows_.get(), row_, index), nullptr));
    case kBytea: {
      if (decoded_.empty()) decoded_.resize(static_cast<std::size_t>(PQnfields(rows_.get())));
      std::string& bytes = decoded_[static_cast<std::size_t>(index)];
      if (bytes.empty()) bytes = from_hex(text);
      return Value::of_blob(bytes);
    }
    default:
      return Value::of(text);
  }
}

int PostgresStatement::column_count() const { return PQnfields(description_.get()); }

std::string PostgresStatement::column_name(int index) const {
  const char* name = PQfname(description_.get(), index);
  return name == nullptr ? std::string() : std::string(name);
}

}  // namespace sluice::sql
