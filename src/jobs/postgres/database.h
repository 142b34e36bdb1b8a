// The PostgreSQL job store's connections: a few, made when they are needed, replaced when they are lost.
#pragma once

#include "base/error.h"
#include "base/secret.h"
#include "jobs/store/database.h"
#include "sql/postgres.h"
#include "sql/transaction.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sluice::jobs {

// Thread-safe. Transactions that another one was in the way of are run again, so `work` may run more than
// once. A lost connection is an error (unreachable, retryable): whether a commit under way was done is then
// unknown.
class PostgresPool {
 public:
  static constexpr int kTries = 10;
  // Creates the schema where it is missing and brings it up to date.
  static Result<std::unique_ptr<PostgresPool>> open(const Secret& url, std::string schema);

  // One transaction (read committed): committed when `work` (Result<T>(Database&)) has a value. Others are
  // told of it. Whoever holds a row for longer is waited for about a second, in each of `tries`; then it is
  // an error (locked, retryable).
  template <class F>
  auto write(F&& work, int tries = kTries) -> std::invoke_result_t<F, Database&> {
    using Outcome = std::invoke_result_t<F, Database&>;
    auto outcome = again(
        [&](Database& database) -> Outcome {
          SLUICE_TRY(auto transaction, sql::Transaction::begin(database.connection()));
          auto result = work(database);
          if (!result) return result;
          SLUICE_CHECK(touch(database));
          SLUICE_CHECK(transaction.commit());
          return result;
        },
        tries);
    if (outcome) told();
    return outcome;
  }
  // Statements that stand for themselves; one that writes ends with touching() and calls touched().
  template <class F>
  auto once(F&& work, int tries = kTries) -> std::invoke_result_t<F, Database&> {
    return again(work, tries);
  }
  // One snapshot.
  template <class F>
  auto read(F&& work) -> std::invoke_result_t<F, Database&> {
    using Outcome = std::invoke_result_t<F, Database&>;
    return again(
        [&](Database& database) -> Outcome {
          SLUICE_TRY(auto transaction,
                     sql::Transaction::begin(database.connection(), sql::TransactionKind::deferred));
          auto result = work(database);
          if (!result) return result;
          SLUICE_CHECK(transaction.commit());
          return result;
        },
        kTries);
  }

  // A scalar sub-select that counts this transaction as a change, and yields its number.
  const std::string& touching() const { return touching_; }
  void touched(std::int64_t number);

  // Whether a transaction of another store was committed since the last call. Never misses one for longer
  // than it is under way.
  Result<bool> changed_elsewhere();
  // What to do after each commit, to wake the others; called on the committing thread.
  void on_change(std::function<void()> tell);

  const Secret& url() const { return url_; }
  const std::string& schema() const { return schema_; }
  // The name of a lock of this schema's: two numbers for pg_advisory_….
  std::string lock_name(int kind) const;
  static int lock_family(int kind);
  Result<std::unique_ptr<sql::PostgresConnection>> connect(std::chrono::milliseconds answer_timeout,
                                                           std::chrono::milliseconds lock_timeout) const;

 private:
  struct Slot {
    std::unique_ptr<Database> database;
    sql::PostgresConnection* connection = nullptr;  // the database's
  };
  PostgresPool(Secret url, std::string schema) : url_(std::move(url)), schema_(std::move(schema)) {}
  Result<void> prepare();
  Result<Slot> take(bool fresh);
  void give(Slot slot, bool good);
  Result<void> touch(Database& database);
  void told();

  template <class F>
  auto again(F&& work, int most) -> std::invoke_result_t<F, Database&> {
    for (int tries = 1;; ++tries) {
      SLUICE_TRY(auto slot, take(false));
      auto result = work(*slot.database);
      give(std::move(slot), result || (result.error().code != ErrorCode::timeout &&
                                       result.error().code != ErrorCode::unreachable));
      if (result || result.error().code != ErrorCode::locked || !result.error().retryable || tries >= most)
        return result;
    }
  }

  const Secret url_;
  const std::string schema_;
  std::string touching_;
  int lock_number_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable free_;
  std::vector<Slot> idle_;
  int out_ = 0;
  std::set<std::int64_t> own_changes_;
  std::int64_t seen_change_ = 0;
  bool unsettled_ = false;
  std::chrono::steady_clock::time_point last_yes_{};
  std::function<void()> tell_;
};

// {"a","b"}: an array as PostgreSQL reads it.
std::string array_text(const std::vector<std::string>& texts);

}  // namespace sluice::jobs
