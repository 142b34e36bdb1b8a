#include "base/sql_text.h"
#include "base/text.h"
#include "sql/database_url.h"
#include "sql/postgres.h"
#include "sql/sqlite.h"
#include "sql/transaction.h"
#include "task/kinds.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace sluice::task {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostRowsShown = 20;
constexpr std::size_t kMostOfAStatement = 80;
constexpr std::size_t kMostOfAValue = 60;

struct Done {
  std::int64_t changed = 0;
  std::int64_t rows = 0;
};

Result<std::unique_ptr<sql::Connection>> open(const Request& request) {
  SLUICE_TRY(const auto url, sql::parse_database_url(request.database));
  if (url.dialect == sql::Dialect::postgres) {
    sql::PostgresOptions options;
    options.application = "sluice " + request.task.name;
    options.lock_timeout = request.lock_timeout;
    SLUICE_TRY(auto connection, sql::open_postgres(url.server, options));
    return std::unique_ptr<sql::Connection>(std::move(connection));
  }
  sql::OpenOptions options;
  options.create = request.create_database;
  options.busy_timeout = request.lock_timeout;
  return sql::open_sqlite(url.path, options);
}

std::string cell(const sql::Value& value) {
  switch (value.kind) {
    case sql::Kind::null:
      return "null";
    case sql::Kind::integer:
      return std::to_string(value.integer);
    case sql::Kind::real:
      return fmt::format("{}", value.real);
    case sql::Kind::blob:
      return fmt::format("({} bytes)", value.bytes.size());
    case sql::Kind::text:
      break;
  }
  return printable(value.bytes, kMostOfAValue);
}

std::string row_text(const sql::Statement& statement) {
  std::string text;
  for (int i = 0; i < statement.column_count(); ++i)
    text += fmt::format("{}{}={}", i == 0 ? "" : "  ", statement.column_name(i), cell(statement.column(i)));
  return text;
}

bool changes_rows(std::string_view statement) {
  constexpr std::array<std::string_view, 6> kWords = {"insert",  "update", "delete",
                                                      "replace", "merge",  "with"};
  const auto word = first_word(statement);
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

Result<Done> run_one(sql::Connection& connection, const std::string& text, const Log& log) {
  Done done;
  if (connection.dialect() == sql::Dialect::postgres && text.find('?') != std::string::npos) {
    // The seam would take the operators ?, ?| and ?& of PostgreSQL for parameters; a script has none.
    SLUICE_CHECK(connection.execute(text));
    if (changes_rows(text)) done.changed = connection.changes();
    return done;
  }
  SLUICE_TRY(const auto statement, connection.prepare(text));
  for (;;) {
    SLUICE_TRY(const bool row, statement->step());
    if (!row) break;
    if (++done.rows <= kMostRowsShown) log(Level::info, row_text(*statement));
  }
  if (done.rows > kMostRowsShown)
    log(Level::info, fmt::format("… and {} rows more", group_digits(done.rows - kMostRowsShown)));
  if (statement->column_count() == 0 && changes_rows(text)) done.changed = connection.changes();
  return done;
}

Result<void> run_all(sql::Connection& connection, const SqlTask& sql, const Log& log,
                     const std::stop_token& stop, Json& statements, std::int64_t& changed) {
  int number = 0;
  for (const auto& text : sql.statements) {
    ++number;
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    const auto shown = printable(text, kMostOfAStatement);
    const auto begin = std::chrono::steady_clock::now();
    auto done = run_one(connection, text, log);
    if (!done) {
      auto error = std::move(done).error();
      // The seam takes a statement that the database does not understand for a mistake of ours.
      if (error.code == ErrorCode::internal) error.code = ErrorCode::invalid_definition;
      return fail_within(sql.statements.size() == 1 ? "sql" : fmt::format("sql, statement {}", number),
                         std::move(error));
    }
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    statements.push_back(
        {{"statement", shown}, {"changed", done->changed}, {"rows", done->rows}, {"durationMs", ms.count()}});
    changed += done->changed;
    log(Level::info, done->rows > 0 ? fmt::format("{}: {} rows", shown, group_digits(done->rows))
                                    : fmt::format("{}: {} rows changed", shown, group_digits(done->changed)));
  }
  return {};
}

Result<void> run_in(const SqlTask& sql, const Request& request, const Log& log, const std::stop_token& stop,
                    Json& statements, std::int64_t& changed) {
  SLUICE_TRY(const auto connection, open(request));
  const sql::StopScope stopping(*connection, stop);
  if (!sql.transaction) return run_all(*connection, sql, log, stop, statements, changed);
  SLUICE_TRY(auto transaction, sql::Transaction::begin(*connection));
  auto done = run_all(*connection, sql, log, stop, statements, changed);
  if (done) done = transaction.commit();
  if (!done) changed = 0;  // all of it is rolled back
  return done;
}

}  // namespace

Outcome run_sql(const SqlTask& sql, const Request& request, const Log& log, std::stop_token stop) {
  Outcome outcome;
  Json statements = Json::array();
  auto done = run_in(sql, request, log, stop, statements, outcome.changed);
  if (!done) {
    outcome.error = std::move(done).error();
    if (stop.stop_requested()) outcome.error->code = ErrorCode::cancelled;
    if (sql.transaction && !statements.empty())
      log(Level::warning, "everything is rolled back: the statements are one transaction");
  }
  outcome.result = Json{{"changed", outcome.changed}, {"statements", std::move(statements)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
  return outcome;
}

}  // namespace sluice::task
