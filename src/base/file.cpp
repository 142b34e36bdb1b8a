#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sluice {
namespace {

std::unexpected<Error> os_failure(std::string_view what, const std::filesystem::path& path, int number) {
  return fail(error_code_for_errno(number),
              fmt::format("{} {}: {}", what, path.string(), os_message(number)));
}

// Where room can be made, a later run may succeed.
std::unexpected<Error> write_failure(int number) {
  if (number == ENOSPC || number == EDQUOT)
    return fail_transient(ErrorCode::io, "the disk is full: free some space, then run again");
  if (number == EFBIG)
    return fail_transient(ErrorCode::io,
                          "cannot write: the process's size limit for files is reached (ulimit -f)");
  return fail(ErrorCode::io, "cannot write: " + os_message(number));
}

}  // namespace

std::string os_message(int number) { return std::generic_category().message(number); }

ErrorCode error_code_for_errno(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EEXIST:
      return ErrorCode::already_exists;
    case EFBIG:
      return ErrorCode::too_large;
    default:
      return ErrorCode::io;
  }
}

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<FileHandle> FileHandle::open_read(const std::filesystem::path& path) {
  // Non-blocking: opening a pipe would wait for a writer. It means nothing for regular files.
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return os_failure("cannot open", path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return os_failure("cannot open", path, errno);
  if (S_ISREG(status.st_mode)) return file;
  return fail(ErrorCode::io, fmt::format("cannot read {}: it is {}", path.string(),
                                         S_ISDIR(status.st_mode) ? "a directory" : "not a regular file"));
}

Result<FileHandle> FileHandle::create(const std::filesystem::path& path, bool truncate) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (truncate ? O_TRUNC : O_EXCL), 0600));
  if (!file) return os_failure("cannot create", path, errno);
  return file;
}

Result<FileHandle> FileHandle::temporary(const std::filesystem::path& directory) {
  FileHandle file(::open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600));
  if (file) return file;
  std::string name = (directory / ".sluice-XXXXXX").string();
  FileHandle named(::mkostemp(name.data(), O_CLOEXEC));
  if (!named) return os_failure("cannot create a temporary file in", directory, errno);
  ::unlink(name.c_str());
  return named;
}

Result<std::size_t> FileHandle::read_at(std::span<char> buffer, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const auto got =
        ::pread(descriptor_, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::io, "cannot read: " + os_message(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::size_t> FileHandle::read(std::span<char> buffer) const {
  for (;;) {
    const auto got = ::read(descriptor_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::io, "cannot read: " + os_message(errno));
    return static_cast<std::size_t>(got);
  }
}

Result<void> FileHandle::write_all(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return write_failure(errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<std::uint64_t> FileHandle::size() const {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) return fail(ErrorCode::io, "cannot stat: " + os_message(errno));
  return static_cast<std::uint64_t>(status.st_size);
}

Result<FileLock> FileLock::try_lock(const std::filesystem::path& path) {
  FileHandle file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return os_failure("cannot open", path, errno);
  FileLock lock;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    lock.file_ = std::move(file);
  } else if (errno != EWOULDBLOCK) {
    return os_failure("cannot lock", path, errno);
  }
  return lock;
}

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  SLUICE_TRY(const FileHandle file, FileHandle::open_read(path));
  std::string content;
  char buffer[64 * 1024];
  for (;;) {
    auto got = file.read(buffer);
    if (!got) return fail_within(path.string(), std::move(got).error());
    if (*got == 0) return content;
    content.append(buffer, *got);
    if (content.size() > limit) {
      return fail(ErrorCode::too_large, fmt::format("{} is larger than {} bytes", path.string(), limit));
    }
  }
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::path temporary = path;
  temporary += fmt::format(".{}.tmp", ::getpid());
  {
    SLUICE_TRY(const FileHandle file, FileHandle::create(temporary, true));
    if (auto written = file.write_all(content); !written) {
      ::unlink(temporary.c_str());
      return fail_within(path.string(), std::move(written).error());
    }
    if (::fsync(file.get()) != 0) {
      const int number = errno;
      ::unlink(temporary.c_str());
      return os_failure("cannot sync", path, number);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary.c_str());
    return os_failure("cannot write", path, number);
  }
  return {};
}

Result<void> make_private_directory(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) return {};
  if (path.has_parent_path() && path.parent_path() != path)
    SLUICE_CHECK(make_private_directory(path.parent_path()));
  if (::mkdir(path.c_str(), 0700) != 0) {
    // Someone else may have created it meanwhile; a file of this name is no folder.
    if (errno == EEXIST && std::filesystem::is_directory(path, code)) return {};
    if (errno == EEXIST)
      return fail(ErrorCode::io, "cannot create folder " + path.string() + ": a file has this name");
    return os_failure("cannot create folder", path, errno);
  }
  return {};
}

}  // namespace sluice
