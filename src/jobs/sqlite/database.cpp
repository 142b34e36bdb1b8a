#include "jobs/sqlite/database.h"

#include "jobs/sqlite/schema.h"
#include "sql/migration.h"
#include "sql/sqlite.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace sluice::jobs {
namespace {

// The working set is small, and an idle service shall stay small too.
constexpr int kCacheKib = 8 * 1024;
// Pages of the -wal file before they are carried over, 32 MiB: a busy store writes the ends of its indexes
// again and again, and so they are carried over once instead of with each large batch.
constexpr const char* kCarryOver = "pragma wal_autocheckpoint = 8192";

}  // namespace

Result<std::unique_ptr<SqliteFile>> SqliteFile::open(const std::filesystem::path& path) {
  SLUICE_TRY(auto writer, sql::open_sqlite(path, {.cache_kib = kCacheKib}));
  SLUICE_CHECK(writer->execute(kCarryOver));
  SLUICE_CHECK(sql::migrate(*writer, "jobs", sqlite_schema_versions()));
  SLUICE_TRY(auto reader,
             sql::open_sqlite(path, {.read_only = true, .create = false, .cache_kib = kCacheKib}));
  std::unique_ptr<SqliteFile> file(new SqliteFile(path, std::move(writer), std::move(reader)));
  SLUICE_TRY(file->seen_version_, file->data_version());
  return file;
}

std::optional<SqliteFile::Identity> SqliteFile::identity_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

Result<void> SqliteFile::in_place() const {
  if (identity_ && identity_of(path_) == identity_) return {};
  return fail(ErrorCode::io,
              fmt::format("{} was removed or replaced while it is in use, and what is written now would be "
                          "lost: put it back (with its -wal file), or stop the service and start it again "
                          "with a new one; what was loaded is not touched",
                          path_.string()));
}

Result<std::int64_t> SqliteFile::data_version() {
  std::int64_t version = 0;
  SLUICE_CHECK(writer_.each("pragma data_version", [&](const Row& row) -> Result<void> {
    version = row.integer(0);
    return {};
  }));
  return version;
}

Result<bool> SqliteFile::changed_elsewhere() {
  SLUICE_CHECK(in_place());
  bool changed = false;
  SLUICE_CHECK(group_.between([&](Database&) -> Result<void> {
    SLUICE_TRY(const std::int64_t version, data_version());
    changed = std::exchange(seen_version_, version) != version;
    return {};
  }));
  return changed;
}

}  // namespace sluice::jobs
