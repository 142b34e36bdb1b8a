#include "fetch/file_source.h"

#include "fetch/glob.h"
#include "fetch/hash.h"
#include "fetch/path_policy.h"
#include "fetch/path_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <unordered_map>

namespace sluice::fetch {
namespace fs = std::filesystem;
namespace {

// A file system may stamp two writes so close together with the same time. A stamp younger than this, when
// the bytes are hashed, does not show a later write (git calls such entries racy).
constexpr std::int64_t kFreshNs = 2'000'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Result<void> check_kind(const fs::path& path, const struct stat& status) {
  if (S_ISREG(status.st_mode)) return {};
  // What lies there is the world's doing, not the definition's: yesterday it may have been a file.
  if (S_ISDIR(status.st_mode))
    return fail(
        ErrorCode::malformed,
        fmt::format("{0} is a folder; name a file in it or a pattern such as {0}/*.csv", shown(path)));
  return fail(ErrorCode::malformed,
              fmt::format("{} is not a regular file but a {}; only regular files are read", shown(path),
                          S_ISFIFO(status.st_mode)   ? "pipe"
                          : S_ISSOCK(status.st_mode) ? "socket"
                                                     : "device"));
}

std::unexpected<Error> open_failure(const fs::path& path, int number) {
  if (number == ENOENT || number == ENOTDIR) {
    std::error_code code;
    if (const auto link = fs::read_symlink(path, code); !code)
      return fail(ErrorCode::not_found,
                  fmt::format("{} is a link to {}, and there is no such file", shown(path), shown(link)));
    const bool tilde = std::find(path.begin(), path.end(), "~") != path.end();
    return fail(ErrorCode::not_found,
                fmt::format("there is no file {}{}", shown(path),
                            tilde ? "; ~ is not replaced by a home folder, write the path in full" : ""));
  }
  if (number == EACCES)
    return fail(ErrorCode::io,
                fmt::format("no permission to read {}: let the service's user read it", shown(path)));
  if (number == EMFILE)
    return fail(
        ErrorCode::io,
        fmt::format("cannot open {}: all files of a pattern are open at once, and no more may be; raise the "
                    "limit (ulimit -n, LimitNOFILE= of systemd), or name fewer files",
                    shown(path)));
  return fail(ErrorCode::io, fmt::format("cannot open {}: {}", shown(path), os_message(number)));
}

// The path that was really opened, after every symbolic link: asked of the kernel, so that a link that is
// swapped between check and open gains nothing.
Result<fs::path> real_path(const FileHandle& file, const fs::path& path, const struct stat& opened) {
  std::error_code code;
  fs::path real = fs::read_symlink(fmt::format("/proc/self/fd/{}", file.get()), code);
  struct stat status{};
  if (!code && ::stat(real.c_str(), &status) == 0 && status.st_ino == opened.st_ino &&
      status.st_dev == opened.st_dev)
    return real;
  real = fs::canonical(path, code);  // no /proc, or renamed a moment ago
  if (!code && ::stat(real.c_str(), &status) == 0 && status.st_ino == opened.st_ino &&
      status.st_dev == opened.st_dev)
    return real;
  return fail_transient(ErrorCode::conflict, fmt::format("{} was replaced while it was opened", shown(path)));
}

struct Opened {
  std::shared_ptr<const FileHandle> file;
  fs::path real;
  struct stat status{};
};

Result<Opened> open_checked(const fs::path& path, const Policy& policy) {
  // Checked before anything is opened or told apart, so that errors do not reveal what lies outside.
  std::error_code code;
  const fs::path expected = fs::weakly_canonical(path, code);
  if (code) return fail(ErrorCode::io, fmt::format("cannot resolve {}: {}", shown(path), code.message()));
  SLUICE_CHECK(check_path(expected, path, policy));
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return open_failure(path, errno);
  SLUICE_CHECK(check_kind(path, status));
  // Non-blocking: a pipe put in place since the check must not hang the run.
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return open_failure(path, errno);
  if (::fstat(file.get(), &status) != 0) return open_failure(path, errno);
  SLUICE_CHECK(check_kind(path, status));
  SLUICE_TRY(fs::path real, real_path(file, path, status));
  SLUICE_CHECK(check_path(real, path, policy));
  return Opened{std::make_shared<const FileHandle>(std::move(file)), std::move(real), status};
}

// A file that a pattern has just found is taken away before it is opened, as inboxes are emptied: the next
// attempt sees what is there then.
std::unexpected<Error> vanished(const fs::path& path) {
  return fail_transient(ErrorCode::not_found,
                        fmt::format("{} went away after the folder was listed", shown(path)));
}

bool is_gone(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

std::unexpected<Error> changed(const fs::path& path) {
  return fail_transient(
      ErrorCode::conflict,
      fmt::format("{} changed while it was read; write new data beside it and rename it into place",
                  shown(path)));
}

bool same_bytes(const Validators& before, const Validators& now) {
  return before.location == now.location && before.length == now.length && before.body_hash == now.body_hash;
}

// Hashes the file, unless the last run saw exactly this file.
Result<Item> pin(const fs::path& path, const Validators* last, Context& context, Fetched& fetched,
                 std::stop_token stop) {
  SLUICE_TRY(Opened opened, open_checked(path, context.policy));
  const auto& status = opened.status;
  const auto mtime = nanoseconds(status.st_mtim);
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(context.clock.now().time_since_epoch()).count();
  // The time of the last change of any kind counts too: tools set the other one back after they have written.
  const auto ctime = nanoseconds(status.st_ctim);
  const bool fresh = std::max(mtime, ctime) > now - kFreshNs;

  Item item;
  item.name = shown(path);
  item.pin = Pin{path, static_cast<std::uint64_t>(status.st_size), mtime, ctime, fresh};
  auto& validators = item.validators;
  validators.location = opened.real.string();
  validators.length = static_cast<std::uint64_t>(status.st_size);
  validators.mtime_ns = fresh ? 0 : mtime;
  validators.ctime_ns = ctime;
  validators.inode = status.st_ino;

  if (last && !fresh && last->mtime_ns != 0 && last->mtime_ns == mtime &&
      last->ctime_ns == validators.ctime_ns && last->inode == validators.inode &&
      last->length == validators.length) {
    validators.body_hash = last->body_hash;
  } else {
    SLUICE_TRY(FileHash hash, hash_file(*opened.file, stop));
    if (hash.length != validators.length) return changed(path);
    validators.body_hash = std::move(hash.hex);
    fetched.bytes += static_cast<std::int64_t>(hash.length);
    if (context.traffic != nullptr) context.traffic->bytes += static_cast<std::int64_t>(hash.length);
  }
  item.file = std::move(opened.file);
  return item;
}

}  // namespace

Result<Fetched> fetch_files(const SourceSpec& source, const std::vector<Validators>& previous,
                            Context& context, std::stop_token stop) {
  std::error_code code;
  if (source.file.native().find('\0') != std::string::npos)
    return fail(ErrorCode::invalid_definition,
                fmt::format("the path {} holds a NUL byte, which no file name has", shown(source.file)));
  // Checked before it is listed: a refusal must not tell what is there.
  const bool pattern = has_pattern(source.file.native());
  if (pattern) {
    const auto folder = fixed_folder(source.file);
    SLUICE_CHECK(check_path(fs::weakly_canonical(folder, code), folder, context.policy));
  }
  SLUICE_TRY(const auto paths, expand(source.file, stop));

  std::unordered_map<std::string_view, const Validators*> last;
  for (const auto& one : previous) last.emplace(one.location, &one);
  Fetched fetched;
  bool same = previous.size() == paths.size();
  for (const auto& path : paths) {
    const auto remembered = last.find(fs::weakly_canonical(path, code).native());
    const Validators* known = remembered == last.end() ? nullptr : remembered->second;
    auto item = pin(path, known, context, fetched, stop);
    if (!item && pattern && item.error().code == ErrorCode::not_found && is_gone(path)) return vanished(path);
    if (!item) return std::unexpected(std::move(item).error());
    // One by one, in order: links may name one file twice, and of two records with one key the last counts.
    same = same && same_bytes(previous[fetched.items.size()], item->validators);
    fetched.items.push_back(std::move(*item));
  }
  fetched.not_modified = same;
  return fetched;
}

Result<void> verify_pinned(const Fetched& fetched, std::stop_token stop) {
  for (const auto& item : fetched.items) {
    if (!item.pin) continue;
    struct stat status{};
    if (::fstat(item.file->get(), &status) != 0)
      return fail(ErrorCode::io, fmt::format("cannot check {}: {}", item.name, os_message(errno)));
    if (static_cast<std::uint64_t>(status.st_size) != item.pin->length ||
        nanoseconds(status.st_mtim) != item.pin->mtime_ns)
      return changed(item.pin->path);
    // A new ctime may be new bytes under an old time, or only new rights or another name: the bytes tell.
    if (!item.pin->rehash && nanoseconds(status.st_ctim) == item.pin->ctime_ns) continue;
    SLUICE_TRY(const FileHash hash, hash_file(*item.file, stop));
    if (hash.hex != item.validators.body_hash) return changed(item.pin->path);
  }
  return {};
}

}  // namespace sluice::fetch
