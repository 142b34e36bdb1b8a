#include "sql/postgres.h"

#include "base/text.h"
#include "sql/postgres_parameters.h"
#include "sql/postgres_session.h"
#include "sql/postgres_statement.h"

#include <fmt/format.h>

#include <utility>

namespace sluice::sql {
namespace {

class LibpqConnection final : public PostgresConnection {
 public:
  explicit LibpqConnection(std::unique_ptr<PostgresSession> session) : session_(std::move(session)) {}

  Result<std::unique_ptr<Statement>> prepare(std::string_view sql) override {
    SLUICE_CHECK(check(sql));
    if (trim(sql).empty()) return fail(ErrorCode::internal, "an empty statement", session_->where());
    const std::string text = number_parameters(sql);
    const std::string name = session_->new_statement_name();
    SLUICE_TRY(const auto prepared, session_->prepare(name, text));
    static_cast<void>(prepared);
    SLUICE_TRY(auto description, session_->describe(name));
    return std::make_unique<PostgresStatement>(*session_, name, text, std::move(description));
  }

  Result<void> execute(std::string_view script) override {
    SLUICE_CHECK(check(script));
    // The server answers "commit" of a spoiled transaction with a rollback, and calls that success.
    if (session_->spoiled() && iequals(trim(script), "commit")) {
      SLUICE_TRY(const auto undone, session_->run("rollback"));
      static_cast<void>(undone);
      return fail(ErrorCode::io, "the database has rolled the transaction back; nothing was written",
                  session_->where());
    }
    SLUICE_TRY(const auto done, session_->run(std::string(script)));
    static_cast<void>(done);
    return {};
  }

  Dialect dialect() const override { return Dialect::postgres; }
  std::int64_t changes() const override { return session_->changes; }
  std::int64_t last_insert_id() const override { return 0; }
  bool in_transaction() const override { return session_->in_transaction(); }
  std::stop_token stop_on(std::stop_token stop) override {
    return std::exchange(session_->stop, std::move(stop));
  }

  bool alive() override { return session_->alive(); }
  Result<std::vector<Notification>> notifications(std::chrono::milliseconds wait,
                                                  std::stop_token stop) override {
    return session_->notifications(wait, std::move(stop));
  }
  int server_process() const override { return session_->server_process(); }

 private:
  // libpq would take it for the end of the text.
  Result<void> check(std::string_view sql) const {
    if (sql.find('\0') == std::string_view::npos) return {};
    return fail(ErrorCode::internal, fmt::format("a statement with a NUL byte: {}", printable(sql, 300)),
                session_->where());
  }

  const std::unique_ptr<PostgresSession> session_;
};

}  // namespace

Result<std::unique_ptr<PostgresConnection>> open_postgres(const Secret& url, const PostgresOptions& options) {
  SLUICE_TRY(auto session, PostgresSession::connect(url, options));
  return std::make_unique<LibpqConnection>(std::move(session));
}

Result<std::unique_ptr<PostgresConnection>> borrow_postgres(PGconn* connection) {
  SLUICE_TRY(auto session, PostgresSession::borrow(connection));
  return std::make_unique<LibpqConnection>(std::move(session));
}

}  // namespace sluice::sql
