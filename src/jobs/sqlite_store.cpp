#include "jobs/sqlite_store.h"

#include "jobs/sqlite_parts.h"

#include <fmt/format.h>

namespace sluice::jobs {
namespace {

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<SqliteFile> file, std::string identity, const std::filesystem::path& data_dir)
      : file_(std::move(file)), identity_(std::move(identity)), nodes_(*file_, data_dir / "nodes") {}
  const std::string& identity() const override { return identity_; }
  JobStore& jobs() override { return jobs_; }
  RecurringStore& recurring() override { return recurring_; }
  NodeStore& nodes() override { return nodes_; }
  DefinitionStore& definitions() override { return definitions_; }
  JobQueries& queries() override { return queries_; }
  Upkeep& upkeep() override { return upkeep_; }

 private:
  const std::unique_ptr<SqliteFile> file_;
  const std::string identity_;
  SqliteJobStore jobs_{*file_};
  SqliteRecurringStore recurring_{*file_};
  SqliteNodeStore nodes_;
  SqliteDefinitionStore definitions_{*file_};
  SqliteJobQueries queries_{*file_};
  SqliteUpkeep upkeep_{*file_};
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& data_dir) {
  SLUICE_CHECK(make_private_directory(data_dir));
  auto file = SqliteFile::open(data_dir / "jobs.db");
  if (!file) return fail_within("job store", std::move(file).error());
  std::string identity;
  auto known = (*file)->read([&](Database& database) -> Result<void> {
    return database.each("select identity from store", [&](const Row& row) -> Result<void> {
      identity = row.text(0);
      return {};
    });
  });
  if (!known) return fail_within("job store", std::move(known).error());
  return std::make_unique<SqliteStore>(*std::move(file), std::move(identity), data_dir);
}

Result<FileLock> lock_for_serving(const std::filesystem::path& data_dir) {
  SLUICE_CHECK(make_private_directory(data_dir));
  SLUICE_TRY(auto lock, FileLock::try_lock(data_dir / "serve.lock"));
  if (!lock.held()) {
    return fail(
        ErrorCode::locked,
        fmt::format("another `sluice serve` works in {}; stop it, or choose another folder with --data",
                    data_dir.string()));
  }
  return lock;
}

}  // namespace sluice::jobs
