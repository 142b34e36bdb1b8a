#include "jobs/sqlite/store.h"

#include "base/text.h"
#include "jobs/sqlite/parts.h"

#include <fmt/format.h>
#include <unistd.h>

namespace sluice::jobs {
namespace {

constexpr std::uint64_t kLongestNumber = 32;

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
  FlowStore& flow() override { return flow_; }
  QueueStore& queues() override { return queues_; }

 private:
  const std::unique_ptr<SqliteFile> file_;
  const std::string identity_;
  SqliteJobStore jobs_{*file_};
  SqliteRecurringStore recurring_{*file_};
  SqliteNodeStore nodes_;
  SqliteDefinitionStore definitions_{*file_};
  SqliteJobQueries queries_{*file_};
  SqliteUpkeep upkeep_{*file_};
  SqliteFlowStore flow_{*file_};
  SqliteQueueStore queues_{*file_};
};

// An error of opening, with what to do about a file that is damaged.
std::unexpected<Error> not_opened(Error error, const std::filesystem::path& file) {
  if (error.code == ErrorCode::malformed) {
    error.code = ErrorCode::io;  // the world around is at fault, not what a program gave
    error.message += fmt::format(
        "; put a backup of {} in its place, or move it away with its -wal and -shm files and start again: "
        "what was loaded is not touched, the history of jobs begins anew",
        file.string());
  }
  return fail_within(fmt::format("job store {}", file.string()), std::move(error));
}

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& data_dir,
                                                 const std::filesystem::path& name) {
  SLUICE_CHECK(make_private_directory(data_dir));
  const auto path = data_dir / name;
  auto file = SqliteFile::open(path);
  if (!file) return not_opened(std::move(file).error(), path);
  std::string identity;
  auto known = (*file)->read([&](Database& database) -> Result<void> {
    return database.each("select identity from store", [&](const Row& row) -> Result<void> {
      identity = row.text(0);
      return {};
    });
  });
  if (!known) return not_opened(std::move(known).error(), path);
  return std::make_unique<SqliteStore>(*std::move(file), std::move(identity), data_dir);
}

Result<FileLock> lock_for_serving(const std::filesystem::path& data_dir) {
  SLUICE_CHECK(make_private_directory(data_dir));
  const auto path = data_dir / "serve.lock";
  SLUICE_TRY(auto lock, FileLock::try_lock(path));
  if (!lock.held()) {
    // Who holds it has written its number; in its first moment it may not have.
    const auto number = read_file(path, kLongestNumber);
    const std::string who =
        number && !number->empty() ? fmt::format(" (process {})", printable(*number)) : "";
    return fail(
        ErrorCode::locked,
        fmt::format("another `sluice serve`{} works in {}; stop it, or choose another folder with --data",
                    who, data_dir.string()));
  }
  SLUICE_TRY(const auto file, FileHandle::create(path, true));
  SLUICE_CHECK(file.write_all(std::to_string(::getpid())));
  return lock;
}

}  // namespace sluice::jobs
