// Owned file handles, temporary files, whole-file reads and atomic writes.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

// Owns one file descriptor. Move-only.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept;
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle();

  // A regular file; anything else (a folder, a pipe, a device) is refused at once.
  static Result<FileHandle> open_read(const std::filesystem::path& path);
  // Created with mode 0600; fails when it exists unless truncate is set.
  static Result<FileHandle> create(const std::filesystem::path& path, bool truncate);
  // An unnamed file in the directory (O_TMPFILE, else created and unlinked): gone with the handle.
  static Result<FileHandle> temporary(const std::filesystem::path& directory);

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

  // Fills as much of the buffer as the file has from the offset on; 0 = end of file.
  Result<std::size_t> read_at(std::span<char> buffer, std::uint64_t offset) const;
  Result<std::size_t> read(std::span<char> buffer) const;  // from the file position
  // Error io, retryable where the disk is full or a limit is reached.
  Result<void> write_all(std::string_view bytes) const;
  Result<std::uint64_t> size() const;

 private:
  int descriptor_ = -1;
};

// Holds an advisory lock on a file for as long as the object lives; the OS drops it when the process dies.
class FileLock {
 public:
  // Empty result (has_value() but !held()) when another process holds it.
  static Result<FileLock> try_lock(const std::filesystem::path& path);
  bool held() const { return static_cast<bool>(file_); }

 private:
  FileHandle file_;
};

Result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit = 64ull << 20);
// Writes beside the target, syncs and renames: readers see the old or the new file, never a part.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content);
// Creates the directory (mode 0700) with its parents.
Result<void> make_private_directory(const std::filesystem::path& path);

// "No such file or directory" for an errno value, thread-safe.
std::string os_message(int number);
ErrorCode error_code_for_errno(int number);

}  // namespace sluice
