// The file of the SQLite job store: one writer, one reader.
#pragma once

#include "base/error.h"
#include "jobs/store/database.h"
#include "sql/connection.h"
#include "sql/transaction.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>

namespace sluice::jobs {

// The file: transactions over its two connections. Thread-safe. Every call fails once the file at the path is
// another one or none: SQLite itself would go on in a file that nobody finds again.
class SqliteFile {
 public:
  static Result<std::unique_ptr<SqliteFile>> open(const std::filesystem::path& path);

  // One immediate transaction: committed when `work` (Result<T>(Database&)) has a value.
  template <class F>
  auto write(F&& work) -> std::invoke_result_t<F, Database&> {
    SLUICE_CHECK(in_place());
    std::lock_guard lock(write_mutex_);
    return transact(writer_, sql::TransactionKind::immediate, work);
  }
  // One snapshot.
  template <class F>
  auto read(F&& work) -> std::invoke_result_t<F, Database&> {
    SLUICE_CHECK(in_place());
    std::lock_guard lock(read_mutex_);
    return transact(reader_, sql::TransactionKind::deferred, work);
  }
  // Whether another connection but our writer has committed since the last call.
  Result<bool> changed_elsewhere();

 private:
  // What tells a file from another one of its name.
  struct Identity {
    std::uint64_t device = 0, number = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  static std::optional<Identity> identity_of(const std::filesystem::path& path);

  SqliteFile(std::filesystem::path path, std::unique_ptr<sql::Connection> writer,
             std::unique_ptr<sql::Connection> reader)
      : path_(std::move(path)),
        identity_(identity_of(path_)),
        writer_(std::move(writer)),
        reader_(std::move(reader)) {}

  template <class F>
  static auto transact(Database& database, sql::TransactionKind kind, F& work)
      -> std::invoke_result_t<F, Database&> {
    SLUICE_TRY(auto transaction, sql::Transaction::begin(database.connection(), kind));
    auto result = work(database);
    if (!result) return result;
    SLUICE_CHECK(transaction.commit());
    return result;
  }
  Result<std::int64_t> data_version();
  Result<void> in_place() const;

  const std::filesystem::path path_;
  const std::optional<Identity> identity_;
  std::mutex write_mutex_, read_mutex_;
  Database writer_, reader_;
  std::int64_t seen_version_ = 0;
};

}  // namespace sluice::jobs
