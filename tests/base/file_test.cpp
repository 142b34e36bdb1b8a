#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace sluice {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "sluice-base-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

TEST(File, is_written_whole_and_private_and_leaves_nothing_beside_it) {
  const Folder folder;
  const auto file = folder.path / "state";
  ASSERT_TRUE(write_file_atomically(file, "one"));
  ASSERT_TRUE(write_file_atomically(file, "two"));
  EXPECT_EQ(read_file(file).value(), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path), {}), 1);
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(File, errors_name_the_path_and_the_reason) {
  const Folder folder;
  const auto missing = FileHandle::open_read(folder.path / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().describe().find("missing: No such file"), std::string::npos);

  const auto directory = FileHandle::open_read(folder.path);
  ASSERT_FALSE(directory);
  EXPECT_NE(directory.error().message.find("is a directory"), std::string::npos);

  ASSERT_TRUE(FileHandle::create(folder.path / "new", false));
  const auto again = FileHandle::create(folder.path / "new", false);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::already_exists);
}

TEST(File, a_pipe_is_refused_instead_of_waited_for) {
  const Folder folder;
  ASSERT_EQ(::mkfifo((folder.path / "pipe").c_str(), 0600), 0);
  const auto pipe = FileHandle::open_read(folder.path / "pipe");
  ASSERT_FALSE(pipe);
  EXPECT_NE(pipe.error().message.find("pipe: it is not a regular file"), std::string::npos);
  EXPECT_FALSE(read_file("/dev/zero"));
}

TEST(File, a_full_disk_is_named_and_may_have_room_later) {
  const FileHandle full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  const auto written = full.write_all("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::io);
  EXPECT_TRUE(written.error().retryable);
  EXPECT_NE(written.error().message.find("the disk is full"), std::string::npos) << written.error().message;
}

TEST(File, reading_stops_at_the_limit) {
  const Folder folder;
  ASSERT_TRUE(write_file_atomically(folder.path / "big", std::string(1000, 'x')));
  const auto read = read_file(folder.path / "big", 999);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::too_large);
}

TEST(File, a_temporary_one_has_no_name_and_reads_back) {
  const Folder folder;
  auto file = FileHandle::temporary(folder.path);
  ASSERT_TRUE(file) << file.error().describe();
  EXPECT_TRUE(fs::is_empty(folder.path));
  ASSERT_TRUE(file->write_all("hello world"));
  EXPECT_EQ(file->size().value(), 11u);
  std::string buffer(20, ' ');
  EXPECT_EQ(file->read_at(buffer, 6).value(), 5u);
  EXPECT_EQ(buffer.substr(0, 5), "world");
}

TEST(File, folders_are_made_private_with_their_parents) {
  const Folder folder;
  ASSERT_TRUE(make_private_directory(folder.path / "a" / "b"));
  ASSERT_TRUE(make_private_directory(folder.path / "a" / "b"));
  struct stat status{};
  ASSERT_EQ(::stat((folder.path / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST(FileLock, is_held_against_another_process_and_dropped_when_it_dies) {
  const Folder folder;
  const auto path = folder.path / "node.lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const auto child = ::fork();
  if (child == 0) {
    const auto lock = FileLock::try_lock(path);
    const char answer = lock && lock->held() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  {
    const auto lock = FileLock::try_lock(path);
    ASSERT_TRUE(lock) << lock.error().describe();
    EXPECT_FALSE(lock->held());
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  const auto lock = FileLock::try_lock(path);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->held());
}

}  // namespace
}  // namespace sluice
