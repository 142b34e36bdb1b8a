// One libpq connection and the waiting for its answers. What a connection shares with its statements.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "base/secret.h"
#include "sql/postgres.h"

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace sluice::sql {

struct ClearAnswer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, ClearAnswer>;

// Parameters as libpq takes them: parallel arrays.
struct BoundValues {
  int count = 0;
  const char* const* data = nullptr;
  const int* lengths = nullptr;
  const int* formats = nullptr;
};

class PostgresSession {
 public:
  // Refuses a connection pooler that works by transaction (postgres_pooler.cpp).
  static Result<std::unique_ptr<PostgresSession>> connect(const Secret& url, const PostgresOptions& options);

  static Result<std::unique_ptr<PostgresSession>> borrow(PGconn* connection);

  // Statements without parameters; the last one's answer.
  Result<Answer> run(const std::string& script);
  Result<Answer> prepare(const std::string& name, const std::string& sql);
  Result<Answer> describe(const std::string& name);
  Result<Answer> run_prepared(const std::string& name, const BoundValues& values, std::string_view sql);
  // Forgets a prepared statement. Whether that works is of no interest.
  void deallocate(const std::string& name);

  bool in_transaction() const;
  bool spoiled() const { return PQtransactionStatus(connection_.get()) == PQTRANS_INERROR; }
  bool alive();
  Result<std::vector<Notification>> notifications(std::chrono::milliseconds wait, std::stop_token stop);
  int server_process() const { return PQbackendPID(connection_.get()); }

  const std::string& where() const { return where_; }
  // A name for a statement to prepare that no other session ever uses: whatever sits in between, another
  // one's statement is never run for ours.
  std::string new_statement_name();
  std::stop_token stop;
  std::chrono::milliseconds stop_timeout{0};  // PostgresOptions
  std::int64_t changes = 0;

 private:
  struct Finish {
    Finish() {}  // written out: "= default" comes too late for the members below
    explicit Finish(bool is_borrowed) : borrowed(is_borrowed) {}
    bool borrowed{false};
    void operator()(PGconn* connection) const {
      if (!borrowed) PQfinish(connection);
    }
  };
  PostgresSession(std::unique_ptr<PGconn, Finish> connection, FileHandle wake, std::string where,
                  std::chrono::milliseconds answer_timeout);

  // The bare connection, nothing asked and nothing set yet.
  static Result<std::unique_ptr<PostgresSession>> open(const Secret& url, const PostgresOptions& options);
  Result<void> check_pooling(const Secret& url, const PostgresOptions& options);
  Result<int> ask_server_process();

  Result<Answer> answer(int sent, std::string_view what);
  Result<void> wait_for_answer();
  void send_cancel();
  void give_up();  // an unconnected handle in its place
  std::unexpected<Error> lost();
  // True: the socket has something, false: the time is over or the wake-up rang.
  bool wait_for_socket(std::chrono::milliseconds most, bool& rang);

  std::unique_ptr<PGconn, Finish> connection_;
  FileHandle wake_;  // an eventfd that a stop request rings
  const std::string where_;
  const std::chrono::milliseconds answer_timeout_;
  const std::string name_;  // of this session, at random
  std::uint64_t statements_ = 0;
};

}  // namespace sluice::sql
