#include "sql/postgres_session.h"

#include "sql/identifier.h"
#include "sql/postgres_error.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <random>

namespace sluice::sql {
namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

// A statement that is done this soon after a stop request is let through: only long ones are stopped.
constexpr milliseconds kGrace{20};
// The server forgets a cancel that comes between two statements, so it is said again.
constexpr milliseconds kSayAgain{50};
constexpr milliseconds kForEver{60'000};
// How long after us the server gives up a statement. It does so by itself: a request to cancel would need the
// way that may just be lost.
constexpr milliseconds kAfterUs{1'000};

void ring(const FileHandle& wake) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
}
void silence(const FileHandle& wake) {
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto read = ::read(wake.get(), &rung, sizeof rung);
}

std::string random_name() {
  std::random_device device;
  return fmt::format("s{:08x}{:08x}", device(), device());
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::string settings_of(const PostgresOptions& options) {
  std::string script = "set idle_in_transaction_session_timeout = '5min'";
  if (!options.schema.empty()) script += "; set search_path to " + quote_identifier(options.schema);
  if (options.read_only) script += "; set default_transaction_read_only = on";
  // Nobody reads the answer then; without it the server would go on, and keep its locks.
  if (options.answer_timeout.count() > 0)
    script += fmt::format("; set statement_timeout = {}", (options.answer_timeout + kAfterUs).count());
  if (options.lock_timeout.count() > 0)
    script += fmt::format("; set lock_timeout = {}", options.lock_timeout.count());
  return script;
}

}  // namespace

Result<void> check_postgres_url(const Secret& url) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(
      PQconninfoParse(url.reveal().c_str(), &problem));
  PQfreemem(problem);  // may quote the password
  if (parsed) return {};
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("\"{}\" is not a PostgreSQL URL; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, "
                  "with special characters of the password written as %40 and so on",
                  mask_url(url.reveal())));
}

std::string describe_postgres(const Secret& url) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(PQconninfoParse(url.reveal().c_str(), nullptr));
  std::string user, host, port, name;
  for (const PQconninfoOption* one = parsed.get(); one != nullptr && one->keyword != nullptr; ++one) {
    if (one->val == nullptr) continue;
    const std::string_view keyword = one->keyword;
    if (keyword == "user") user = one->val;
    if (keyword == "host") host = one->val;
    if (keyword == "port") port = one->val;
    if (keyword == "dbname") name = one->val;
  }
  return fmt::format("postgres://{}{}{}{}{}/{}", user, user.empty() ? "" : "@",
                     host.find('/') == std::string::npos ? host : "[" + host + "]", port.empty() ? "" : ":",
                     port, name);
}

PostgresSession::PostgresSession(std::unique_ptr<PGconn, Finish> connection, FileHandle wake,
                                 std::string where, milliseconds answer_timeout)
    : connection_(std::move(connection)),
      wake_(std::move(wake)),
      where_(std::move(where)),
      answer_timeout_(answer_timeout),
      name_(random_name()) {}

std::string PostgresSession::new_statement_name() { return fmt::format("{}_{}", name_, ++statements_); }

Result<std::unique_ptr<PostgresSession>> PostgresSession::connect(const Secret& url,
                                                                  const PostgresOptions& options) {
  SLUICE_TRY(auto session, open(url, options));
  SLUICE_CHECK(session->check_pooling(url, options));
  SLUICE_TRY(const auto set, session->run(settings_of(options)));
  static_cast<void>(set);
  return session;
}

Result<std::unique_ptr<PostgresSession>> PostgresSession::open(const Secret& url,
                                                               const PostgresOptions& options) {
  SLUICE_CHECK(check_postgres_url(url));
  const std::string where = fmt::format("database {}", describe_postgres(url));
  const std::string timeout = std::to_string(std::max<std::int64_t>(options.connect_timeout.count(), 2));
  // What comes before the URL it may overrule, what comes after it may not. A way that has died silently is
  // noticed within half a minute.
  const std::array<std::array<const char*, 2>, 9> settings = {
      {{"application_name", options.application.c_str()},
       {"connect_timeout", timeout.c_str()},
       {"keepalives_idle", "10"},
       {"keepalives_interval", "5"},
       {"keepalives_count", "3"},
       {"tcp_user_timeout", "30000"},
       {"dbname", url.reveal().c_str()},
       {"client_encoding", "UTF8"},
       {nullptr, nullptr}}};
  std::array<const char*, 9> keywords{}, values{};
  for (std::size_t i = 0; i < settings.size(); ++i) {
    keywords[i] = settings[i][0];
    values[i] = settings[i][1];
  }
  std::unique_ptr<PGconn, Finish> connection(PQconnectdbParams(keywords.data(), values.data(), 1));
  if (!connection) return fail(ErrorCode::io, "out of memory", where);
  if (PQstatus(connection.get()) != CONNECTION_OK)
    return std::unexpected(connect_error(PQerrorMessage(connection.get()), where));
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  FileHandle wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return fail(ErrorCode::io, os_message(errno), where);
  std::unique_ptr<PostgresSession> session(
      new PostgresSession(std::move(connection), std::move(wake), where, options.answer_timeout));
  session->stop_timeout = options.stop_timeout;
  return session;
}

Result<std::unique_ptr<PostgresSession>> PostgresSession::borrow(PGconn* connection) {
  const char* const host = PQhost(connection);
  const char* const name = PQdb(connection);
  const std::string where =
      fmt::format("database {} on {}", name == nullptr ? "?" : name, host == nullptr ? "?" : host);
  if (PQstatus(connection) != CONNECTION_OK)
    return std::unexpected(lost_error(PQerrorMessage(connection), where));
  FileHandle wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return fail(ErrorCode::io, os_message(errno), where);
  std::unique_ptr<PostgresSession> session(new PostgresSession(
      std::unique_ptr<PGconn, Finish>(connection, Finish(true)), std::move(wake), where, milliseconds(0)));
  return session;
}

Result<Answer> PostgresSession::run(const std::string& script) {
  return answer(PQsendQuery(connection_.get(), script.c_str()), script);
}

Result<Answer> PostgresSession::prepare(const std::string& name, const std::string& sql) {
  return answer(PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr), sql);
}

Result<Answer> PostgresSession::describe(const std::string& name) {
  return answer(PQsendDescribePrepared(connection_.get(), name.c_str()), "describe");
}

Result<Answer> PostgresSession::run_prepared(const std::string& name, const BoundValues& values,
                                             std::string_view sql) {
  return answer(PQsendQueryPrepared(connection_.get(), name.c_str(), values.count, values.data,
                                    values.lengths, values.formats, 0),
                sql);
}

void PostgresSession::deallocate(const std::string& name) {
  const auto status = PQtransactionStatus(connection_.get());
  if (status == PQTRANS_IDLE || status == PQTRANS_INTRANS) {
    const auto before = std::exchange(stop, {});
    (void)run("deallocate " + quote_identifier(name));
    stop = before;
  }
}

bool PostgresSession::in_transaction() const {
  const auto status = PQtransactionStatus(connection_.get());
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void PostgresSession::give_up() {
  connection_ = std::unique_ptr<PGconn, Finish>(PQconnectStart(""), Finish());
}

std::unexpected<Error> PostgresSession::lost() {
  return std::unexpected(lost_error(PQerrorMessage(connection_.get()), where_));
}

bool PostgresSession::wait_for_socket(milliseconds most, bool& rang) {
  std::array<pollfd, 2> waiting = {{{PQsocket(connection_.get()), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
  const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(most.count()));
  rang = ready > 0 && waiting[1].revents != 0;
  return ready > 0 && waiting[0].revents != 0;
}

void PostgresSession::send_cancel() {
  PGcancel* const cancel = PQgetCancel(connection_.get());
  if (cancel == nullptr) return;
  std::array<char, 256> problem{};
  (void)PQcancel(cancel, problem.data(), problem.size());
  PQfreeCancel(cancel);
}

Result<void> PostgresSession::wait_for_answer() {
  const auto now = [] {
    return std::chrono::steady_clock::now();
  };  // real time: it is others who are waited for
  const SteadyTime begun = now();
  std::optional<SteadyTime> say_at;     // when to tell the server to stop
  std::optional<SteadyTime> no_longer;  // than until then
  while (PQisBusy(connection_.get()) != 0) {
    milliseconds most = kForEver;
    const auto until = [&](SteadyTime time) {
      most = std::min(most, std::max(milliseconds(0), std::chrono::ceil<milliseconds>(time - now())));
    };
    if (say_at) until(*say_at);
    if (no_longer) until(*no_longer);
    if (answer_timeout_.count() > 0) until(begun + answer_timeout_);
    bool rang = false;
    if (wait_for_socket(most, rang)) {
      if (PQconsumeInput(connection_.get()) == 0) return lost();
      continue;
    }
    if (rang) {
      silence(wake_);
      if (stop_timeout.count() > 0) {
        if (!no_longer) no_longer = now() + stop_timeout;
      } else if (!say_at) {
        say_at = now() + kGrace;
      }
    }
    if (no_longer && now() >= *no_longer) {
      give_up();
      return fail(ErrorCode::cancelled, "stopped without the server's answer", where_);
    }
    if (say_at && now() >= *say_at) {
      send_cancel();
      say_at = now() + kSayAgain;
    }
    if (answer_timeout_.count() > 0 && now() >= begun + answer_timeout_) {
      give_up();  // dead: nobody may read the late answer as another one's
      return fail_transient(ErrorCode::timeout,
                            fmt::format("the server has not answered within {} ms", answer_timeout_.count()),
                            where_);
    }
  }
  return {};
}

Result<Answer> PostgresSession::answer(int sent, std::string_view what) {
  if (sent == 0) return lost();
  const std::stop_callback on_stop(stop, [this] { ring(wake_); });
  Answer last;
  std::optional<Error> error;
  for (;;) {
    SLUICE_CHECK(wait_for_answer());
    Answer next(PQgetResult(connection_.get()));
    if (!next) break;
    const auto status = PQresultStatus(next.get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (!error) error = postgres_error(next.get(), what, where_);
      const char* state = PQresultErrorField(next.get(), PG_DIAG_SQLSTATE);
      const bool stopped = state != nullptr && std::string_view(state) == "57014" && stop.stop_requested();
      if (stopped) error = Error{ErrorCode::cancelled, false, where_, "stopped", {}};
      if (state == nullptr && PQstatus(connection_.get()) == CONNECTION_BAD)
        error = lost_error(PQresultErrorMessage(next.get()), where_);
    } else if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      give_up();
      return fail(ErrorCode::internal, "copy is not a statement", where_);
    }
    last = std::move(next);
  }
  silence(wake_);
  if (error) {
    // As on SQLite, a stop undoes the whole transaction.
    if (error->code == ErrorCode::cancelled && in_transaction()) {
      const auto before = std::exchange(stop, {});
      (void)run("rollback");
      stop = before;
    }
    return std::unexpected(*std::move(error));
  }
  if (!last) return lost();
  if (const char* count = PQcmdTuples(last.get()); *count != '\0') changes = std::strtoll(count, nullptr, 10);
  return last;
}

bool PostgresSession::alive() {
  if (PQstatus(connection_.get()) != CONNECTION_OK) return false;
  bool rang = false;
  // Between two statements the server says nothing but notices, notifications and its farewell.
  while (wait_for_socket(milliseconds(0), rang)) {
    if (PQconsumeInput(connection_.get()) == 0) return false;
  }
  return PQstatus(connection_.get()) == CONNECTION_OK;
}

Result<std::vector<Notification>> PostgresSession::notifications(milliseconds wait, std::stop_token until) {
  std::vector<Notification> all;
  const std::stop_callback on_stop(until, [this] { ring(wake_); });
  const auto collect = [&] {
    while (PGnotify* const one = PQnotifies(connection_.get())) {
      all.push_back({one->relname, one->extra});
      PQfreemem(one);
    }
  };
  collect();
  if (!all.empty()) return all;
  bool rang = false;
  if (wait_for_socket(wait, rang) && PQconsumeInput(connection_.get()) == 0) return lost();
  if (rang) silence(wake_);
  collect();
  if (all.empty() && PQstatus(connection_.get()) != CONNECTION_OK) return lost();
  return all;
}

}  // namespace sluice::sql
