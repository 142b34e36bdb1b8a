// A PostgreSQL server behind the seam, by libpq. A statement's rows are fetched whole; parameters are written
// as ? or ?N, as for SQLite. Unlike there, an error inside a transaction spoils the transaction: it can only
// be rolled back. last_insert_id() is always 0: use "returning".
#pragma once

#include "base/error.h"
#include "base/secret.h"
#include "sql/connection.h"

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

struct pg_conn;

namespace sluice::sql {

struct PostgresOptions {
  std::string application = "sluice";  // what pg_stat_activity shows
  std::string schema;                  // the search path; empty = the server's own
  bool read_only = false;
  std::chrono::seconds connect_timeout{10};
  // A statement that is not answered within it costs the connection (timeout, retryable), and is stopped by
  // the server a second later; 0 waits for ever.
  std::chrono::milliseconds answer_timeout{0};
  // Once a stop is requested (stop_on()), an answer is waited for so long and no longer; then the connection
  // is given up. 0: the server is told to stop, and its word is waited for.
  std::chrono::milliseconds stop_timeout{0};
  // Rows that another transaction holds are waited for so long (then locked, retryable); 0 waits for ever.
  std::chrono::milliseconds lock_timeout{0};
};

struct Notification {
  std::string channel, payload;
};

class PostgresConnection : public Connection {
 public:
  // False once the server, or the way to it, is gone: this object is of no more use. Asks nobody.
  virtual bool alive() = 0;
  // What was notified on the channels this connection listens to; waits for the first for so long at most,
  // or until stop is requested. Not inside a transaction.
  virtual Result<std::vector<Notification>> notifications(std::chrono::milliseconds wait,
                                                          std::stop_token stop) = 0;
  // Number of the server process that works for this connection.
  virtual int server_process() const = 0;
};

// `url` is postgres://… as libpq takes it. Errors beside those of the seam: unreachable (retryable: the
// server cannot be reached, starts, stops, is full, or the connection was lost), unauthorized, not_found (no
// such database), timeout. Messages name host and database, never the password.
Result<std::unique_ptr<PostgresConnection>> open_postgres(const Secret& url,
                                                          const PostgresOptions& options = {});

// The seam over a connection that stays its owner's and outlives the object and its statements: it is not in
// pipeline mode and no answer of it is outstanding. Errors: unreachable, io.
Result<std::unique_ptr<PostgresConnection>> borrow_postgres(pg_conn* connection);

// "postgres://user@host:5432/name", for people: without the password and other parameters.
std::string describe_postgres(const Secret& url);
// Whether libpq can read the URL; says nothing of the server.
Result<void> check_postgres_url(const Secret& url);

}  // namespace sluice::sql
