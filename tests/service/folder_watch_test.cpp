#include "service/folder_watch.h"

#include "base/without_rights.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace sluice::service {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Counts callbacks; await() waits for one after the last awaited, far longer than it can take.
class Signal {
 public:
  FolderWatch::Callback callback() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++count_;
      arrived_.notify_all();
    };
  }
  bool await() {
    std::unique_lock lock(mutex_);
    const bool came = arrived_.wait_for(lock, 20s, [&] { return count_ > taken_; });
    taken_ = count_;
    return came;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  int count_ = 0;
  int taken_ = 0;
};

class FolderWatchTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / fmt::format("sluice-watch-{}-{}", GetParam(),
                                                       testing::UnitTest::GetInstance()->random_seed() ^
                                                           reinterpret_cast<std::uintptr_t>(this));
    fs::remove_all(root_);
    fs::create_directories(root_ / "sub");
    write("sub/old.loader.yaml", "old");
    FolderWatchOptions options;
    options.quiet = 5ms;
    options.force_polling = GetParam();
    options.poll_interval = 5ms;
    watch_ = std::make_unique<FolderWatch>(root_, options);
    ASSERT_TRUE(watch_->start(signal_.callback()).has_value());
    EXPECT_EQ(watch_->polling(), GetParam());
  }
  void TearDown() override {
    watch_.reset();
    fs::remove_all(root_);
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }

  fs::path root_;
  Signal signal_;
  std::unique_ptr<FolderWatch> watch_;
};

TEST_P(FolderWatchTest, tells_of_new_changed_and_removed_files) {
  write("A.loader.yaml", "a");
  EXPECT_TRUE(signal_.await());
  write("A.loader.yaml", "another text");
  EXPECT_TRUE(signal_.await());
  fs::remove(root_ / "A.loader.yaml");
  EXPECT_TRUE(signal_.await());
}

TEST_P(FolderWatchTest, tells_of_files_in_sub_folders_old_and_new) {
  write("sub/old.loader.yaml", "changed now");
  EXPECT_TRUE(signal_.await());
  fs::create_directories(root_ / "new/deep");
  EXPECT_TRUE(signal_.await());
  write("new/deep/B.loader.yaml", "b");
  EXPECT_TRUE(signal_.await());
  write("new/deep/B.loader.yaml", "b, longer");
  EXPECT_TRUE(signal_.await());
}

TEST_P(FolderWatchTest, tells_of_a_file_renamed_into_place) {
  write(".A.loader.yaml.tmp", "a");
  fs::rename(root_ / ".A.loader.yaml.tmp", root_ / "A.loader.yaml");
  EXPECT_TRUE(signal_.await());
}

TEST_P(FolderWatchTest, picks_up_a_root_that_comes_back) {
  // In one step: a poll between the files' going and the folder's own would see an empty folder, then an
  // empty folder.
  const fs::path away = root_.string() + "-away";
  fs::rename(root_, away);
  EXPECT_TRUE(signal_.await());
  fs::create_directories(root_);
  EXPECT_TRUE(signal_.await());
  write("A.loader.yaml", "a");
  EXPECT_TRUE(signal_.await());
  fs::remove_all(away);
}

TEST_P(FolderWatchTest, watches_a_folder_that_may_be_read_again) {
  watch_.reset();
  fs::permissions(root_ / "sub", fs::perms::none);
  FolderWatchOptions options;
  options.quiet = 5ms;
  options.force_polling = GetParam();
  options.poll_interval = 5ms;
  watch_ = std::make_unique<FolderWatch>(root_, options);
  {
    const WithoutRights user;  // the watch's thread inherits it
    ASSERT_TRUE(watch_->start(signal_.callback()).has_value());
  }
  fs::permissions(root_ / "sub", fs::perms(0755));
  ASSERT_TRUE(signal_.await()) << "what is in it can be read now";
  write("sub/later.loader.yaml", "later");
  EXPECT_TRUE(signal_.await()) << "a change inside it";
}

TEST_P(FolderWatchTest, stops_at_once_and_twice) {
  watch_->stop();
  watch_->stop();
}

INSTANTIATE_TEST_SUITE_P(Both, FolderWatchTest, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "polling" : "inotify"; });

TEST(FolderWatch, refuses_a_root_that_is_no_folder) {
  FolderWatch watch("/nowhere/at/all");
  const auto started = watch.start([] {});
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace sluice::service
