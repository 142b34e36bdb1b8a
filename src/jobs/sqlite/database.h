// The file of the SQLite job store: one writer, one reader.
#pragma once

#include "base/error.h"
#include "jobs/sqlite/group_commit.h"
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
    return write(work, false);
  }
  // The same for what writes little: with others that come at the same time it shares a commit, and no more.
  // `work` runs on any thread, while the caller waits.
  template <class F>
  auto write_together(F&& work) -> std::invoke_result_t<F, Database&> {
    return write(work, true);
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
  auto write(F& work, bool together) -> std::invoke_result_t<F, Database&> {
    SLUICE_CHECK(in_place());
    std::optional<std::invoke_result_t<F, Database&>> answer;
    SLUICE_CHECK(group_.write(
        [&](Database& database) -> Result<void> {
          answer.emplace(work(database));
          if (!*answer) return std::unexpected(answer->error());
          return {};
        },
        together));
    return *std::move(answer);
  }
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
  std::mutex read_mutex_;
  Database writer_, reader_;
  GroupCommit group_{writer_};
  std::int64_t seen_version_ = 0;
};

}  // namespace sluice::jobs
