// Local files: found, pinned, told from the last run's, and kept to the allowed folders.
#include "base/text.h"
#include "fetch/fixture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::fetch::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

using Files = FetchTest;
using Paths = FetchTest;

// Sets the file's time relative to the clock that stands still.
void age(const fs::path& path, const Clock& clock, std::chrono::seconds age) {
  const auto when =
      std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch() - age).count();
  const timespec times[2] = {{when, 0}, {when, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

std::vector<std::string> names(const Fetched& fetched) {
  std::vector<std::string> result;
  result.reserve(fetched.items.size());
  for (const auto& item : fetched.items) result.push_back(fs::path(item.name).filename());
  return result;
}

TEST_F(Files, a_file_is_opened_in_place_and_pinned) {
  const auto path = write("in/a.json", "[1]");
  const auto fetched = get(file("in/a.json"));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  ASSERT_EQ(fetched->items.size(), 1u);
  EXPECT_EQ(bytes_of(fetched->items[0]), "[1]");
  EXPECT_EQ(fetched->items[0].name, path.string());
  EXPECT_EQ(fetched->requests, 0);
  EXPECT_TRUE(verify_pinned(*fetched));
}

TEST_F(Files, an_untouched_file_is_not_modified_without_being_read) {
  age(write("a.csv", "id\n1\n"), clock_, std::chrono::hours(1));
  const auto first = get(file("a.csv"));
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->not_modified);
  const auto again = get(file("a.csv"), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->not_modified);
  EXPECT_EQ(again->bytes, 0);
  EXPECT_EQ(validators(*again), validators(*first));
  EXPECT_EQ(bytes_of(again->items[0]), "id\n1\n") << "still there for a run that wants it";
}

TEST_F(Files, a_touched_file_is_read_and_found_the_same) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::hours(1));
  const auto first = get(file("a.csv"));
  ASSERT_TRUE(first);
  age(path, clock_, std::chrono::minutes(1));
  const auto again = get(file("a.csv"), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->not_modified);
  EXPECT_EQ(again->bytes, 5);
  EXPECT_NE(validators(*again), validators(*first)) << "to be stored, so that it is not read a third time";
}

TEST_F(Files, other_bytes_of_the_same_size_and_time_are_seen) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::hours(1));
  const auto first = get(file("a.csv"));
  ASSERT_TRUE(first);
  std::ofstream(path, std::ios::in) << "id\n2\n";  // in place: the same inode
  age(path, clock_, std::chrono::hours(1));        // as `cp -p` and `touch -d` do; ctime tells
  const auto again = get(file("a.csv"), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->not_modified);
}

TEST_F(Files, a_file_written_a_moment_ago_is_compared_by_hash_later_on) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::seconds(1));
  const auto first = get(file("a.csv"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->items[0].validators.mtime_ns, 0);
  clock_.advance(std::chrono::hours(1));
  const auto again = get(file("a.csv"), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->not_modified);
  EXPECT_EQ(again->bytes, 5) << "read, not trusted";
}

TEST_F(Files, a_change_while_it_is_read_is_a_transient_conflict) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::hours(1));
  const auto fetched = get(file("a.csv"));
  ASSERT_TRUE(fetched);
  std::ofstream(path, std::ios::app) << "2\n";
  const auto error = error_of(verify_pinned(*fetched));
  EXPECT_EQ(error.code, ErrorCode::conflict);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("changed while it was read"));
}

TEST_F(Files, a_change_within_the_tick_of_the_file_system_is_seen_too) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::seconds(0));
  const auto fetched = get(file("a.csv"));
  ASSERT_TRUE(fetched);
  EXPECT_TRUE(verify_pinned(*fetched));
  std::ofstream(path, std::ios::in) << "id\n2\n";
  age(path, clock_, std::chrono::seconds(0));  // the same stamp, the same size
  EXPECT_EQ(error_of(verify_pinned(*fetched)).code, ErrorCode::conflict);
}

TEST_F(Files, a_change_while_it_is_read_is_seen_even_when_its_time_is_set_back) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::hours(2));
  const auto fetched = get(file("a.csv"));
  ASSERT_TRUE(fetched);
  std::ofstream(path, std::ios::in) << "id\n2\n";
  age(path, clock_, std::chrono::hours(2));  // as `rsync --inplace --times` does
  EXPECT_EQ(error_of(verify_pinned(*fetched)).code, ErrorCode::conflict);
}

TEST_F(Files, new_rights_while_it_is_read_are_no_change) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::hours(2));
  const auto fetched = get(file("a.csv"));
  ASSERT_TRUE(fetched);
  fs::permissions(path, fs::perms::owner_all);
  EXPECT_TRUE(verify_pinned(*fetched));
}

TEST_F(Files, an_old_time_that_was_set_a_moment_ago_is_not_trusted) {
  clock_.set(SystemClock().now());
  age(write("a.csv", "id\n1\n"), clock_, std::chrono::hours(1));  // `cp -p`: the copy is fresh all the same
  const auto first = get(file("a.csv"));
  ASSERT_TRUE(first);
  clock_.advance(std::chrono::hours(1));
  const auto again = get(file("a.csv"), validators(*first));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->not_modified);
  EXPECT_EQ(again->bytes, 5) << "read, not trusted";
}

TEST_F(Files, a_time_of_zero_is_no_reason_to_trust) {
  clock_.set(SystemClock().now());
  age(write("a.csv", "id\n1\n"), clock_,
      std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()));
  const auto first = get(file("a.csv"));  // mtime is 1970-01-01, which also stands for "not to be trusted"
  ASSERT_TRUE(first);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(get(file("a.csv"), validators(*first))->bytes, 5) << "read, not trusted";
}

TEST_F(Files, a_file_replaced_by_rename_keeps_its_old_bytes_for_this_run) {
  const auto path = write("a.csv", "id\n1\n");
  age(path, clock_, std::chrono::hours(1));
  const auto fetched = get(file("a.csv"));
  ASSERT_TRUE(fetched);
  fs::rename(write("new", "id\n2\n"), path);
  EXPECT_TRUE(verify_pinned(*fetched));
  EXPECT_EQ(bytes_of(fetched->items[0]), "id\n1\n");
}

TEST_F(Files, a_pattern_takes_its_files_in_name_order) {
  for (const std::string_view name :
       {"rates-2.csv", "rates-10.csv", "rates-1.csv", "other.csv", ".rates-9.csv"})
    write(fs::path("in") / name, name);
  fs::create_directory(folder_ / "in" / "rates-dir.csv");
  const auto fetched = get(file("in/rates-*.csv"));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_THAT(names(*fetched), testing::ElementsAre("rates-1.csv", "rates-10.csv", "rates-2.csv"));
}

TEST_F(Files, a_pattern_may_stand_in_any_part) {
  write("2025/a/x.csv", "1");
  write("2026/b/x.csv", "2");
  write("2026/b/y.csv", "3");
  write("old/b/x.csv", "4");
  const auto fetched = get(file("20[0-9]?/*/x.csv"));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_EQ(fetched->items.size(), 2u);
}

TEST_F(Files, two_stars_are_any_folders_below) {
  for (const std::string_view name :
       {"in/a.csv", "in/x/b.csv", "in/x/y/z/c.csv", "in/x/.git/d.csv", "in/x/e.txt"})
    write(name, name);
  fs::create_directory_symlink(folder_ / "in", folder_ / "in/x/loop");
  const auto fetched = get(file("in/**/*.csv"));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  EXPECT_THAT(names(*fetched), testing::ElementsAre("a.csv", "b.csv", "c.csv"));
  const auto all = get(file("in/**"));
  ASSERT_TRUE(all) << all.error().describe();
  EXPECT_THAT(names(*all), testing::ElementsAre("a.csv", "b.csv", "e.txt", "c.csv"));
}

TEST_F(Files, a_stop_ends_a_walk_through_many_folders) {
  write("in/x/a.csv", "1");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(get(file("in/**/*.json"), {}, stop.get_token())).code, ErrorCode::cancelled);
  EXPECT_EQ(error_of(get(file("in/*/*.json"), {}, stop.get_token())).code, ErrorCode::cancelled);
}

TEST_F(Files, odd_names_are_read_and_printed_without_control_characters) {
  for (const std::string_view name :
       {"größe ñ 日本.csv", " lead and trail ", "line\nbreak.csv", "\xff\xfe.csv"}) {
    write(fs::path("odd") / name, name);
    const auto fetched = get(file(fs::path("odd") / name));
    ASSERT_TRUE(fetched) << fetched.error().describe();
    EXPECT_EQ(bytes_of(fetched->items[0]), name);
    EXPECT_EQ(fetched->items[0].name, printable((folder_ / "odd" / name).string(), 4096));
  }
  EXPECT_EQ(get(file("odd/*"))->items.size(), 4u);
  EXPECT_THAT(error_of(get(file("odd/no\nsuch"))).describe(), Not(HasSubstr("\n")));
  EXPECT_THAT(error_of(get(file("odd/no\n*"))).describe(), Not(HasSubstr("\n")));
  EXPECT_EQ(error_of(get(file(std::string("odd/a\0b", 7)))).code, ErrorCode::invalid_definition);
}

TEST_F(Files, a_tilde_that_leads_nowhere_is_explained) {
  const auto error = error_of(get(file("~/a.csv")));
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_THAT(error.message, HasSubstr("~ is not replaced"));
}

TEST_F(Files, an_empty_file_is_an_empty_item) {
  write("a.csv", "");
  const auto fetched = get(file("a.csv"));
  ASSERT_TRUE(fetched);
  EXPECT_EQ(bytes_of(fetched->items[0]), "");
  EXPECT_TRUE(get(file("a.csv"), validators(*fetched))->not_modified);
}

TEST_F(Files, a_file_named_like_a_pattern_is_that_file) {
  write("a[1].csv", "x");
  write("a1.csv", "y");
  const auto fetched = get(file("a[1].csv"));
  ASSERT_TRUE(fetched);
  EXPECT_EQ(bytes_of(fetched->items[0]), "x");
}

TEST_F(Files, a_pattern_is_not_modified_only_as_a_whole) {
  age(write("in/a.csv", "1"), clock_, std::chrono::hours(1));
  age(write("in/b.csv", "2"), clock_, std::chrono::hours(1));
  const auto first = get(file("in/*.csv"));
  ASSERT_TRUE(first);
  EXPECT_TRUE(get(file("in/*.csv"), validators(*first))->not_modified);
  write("in/c.csv", "3");
  const auto more = get(file("in/*.csv"), validators(*first));
  EXPECT_FALSE(more->not_modified);
  EXPECT_EQ(more->items.size(), 3u);
  fs::remove(folder_ / "in/c.csv");
  fs::remove(folder_ / "in/b.csv");
  EXPECT_FALSE(get(file("in/*.csv"), validators(*first))->not_modified);
  write("in/b.csv", "4");
  EXPECT_FALSE(get(file("in/*.csv"), validators(*first))->not_modified);
}

TEST_F(Files, a_link_in_the_place_of_a_file_is_a_change) {
  age(write("in/a.csv", "1"), clock_, std::chrono::hours(1));
  age(write("in/b.csv", "2"), clock_, std::chrono::hours(1));
  const auto first = get(file("in/*.csv"));
  ASSERT_TRUE(first);
  fs::remove(folder_ / "in/b.csv");
  fs::create_symlink("a.csv", folder_ / "in/b.csv");
  EXPECT_FALSE(get(file("in/*.csv"), validators(*first))->not_modified) << "the bytes of b.csv are gone";
}

TEST_F(Files, links_that_change_places_are_a_change) {
  age(write("real/a.csv", "1"), clock_, std::chrono::hours(1));
  age(write("real/b.csv", "2"), clock_, std::chrono::hours(1));
  fs::create_directory(folder_ / "in");
  fs::create_symlink("../real/a.csv", folder_ / "in/1.csv");
  fs::create_symlink("../real/b.csv", folder_ / "in/2.csv");
  const auto first = get(file("in/*.csv"));
  ASSERT_TRUE(first);
  EXPECT_TRUE(get(file("in/*.csv"), validators(*first))->not_modified);
  fs::rename(folder_ / "in/1.csv", folder_ / "in/3.csv");
  EXPECT_FALSE(get(file("in/*.csv"), validators(*first))->not_modified)
      << "of two records with one key the last one counts";
}

TEST_F(Files, a_link_that_leads_nowhere_is_told_with_its_end) {
  fs::create_directory(folder_ / "in");
  fs::create_symlink("gone.csv", folder_ / "in/a.csv");
  for (const auto* name : {"in/a.csv", "in/*.csv"}) {
    const auto error = error_of(get(file(name)));
    EXPECT_EQ(error.code, ErrorCode::not_found);
    EXPECT_FALSE(error.retryable);
    EXPECT_THAT(error.message, HasSubstr("a.csv is a link to gone.csv"));
  }
}

TEST_F(Files, a_file_that_goes_away_after_the_listing_is_for_the_next_attempt) {
  write("in/a.csv", "1");
  write("in/b.csv", "2");
  // The clock is asked once a file: while the first one is looked at, the second one goes.
  class Emptier final : public Clock {
   public:
    explicit Emptier(fs::path file) : file_(std::move(file)) {}
    Timestamp now() const override {
      fs::remove(file_);
      return SystemClock().now();
    }
    std::chrono::steady_clock::time_point steady() const override { return SystemClock().steady(); }
    bool sleep_for(milliseconds, std::stop_token) override { return true; }

   private:
    fs::path file_;
  } emptier(folder_ / "in/b.csv");
  Context context{emptier, folder_ / "spool", policy_, {}, {}, "sluice-test/1", {}, {}};
  const auto error = error_of(fetch(file("in/*.csv"), {}, context, {}));
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_TRUE(error.retryable);
  EXPECT_THAT(error.message, HasSubstr("b.csv went away"));
}

TEST_F(Files, what_is_not_there_is_named) {
  write("in/a.csv", "1");
  const auto missing = error_of(get(file("in/b.csv")));
  EXPECT_EQ(missing.code, ErrorCode::not_found);
  EXPECT_THAT(missing.message, HasSubstr("in/b.csv"));
  const auto none = error_of(get(file("in/*.json")));
  EXPECT_EQ(none.code, ErrorCode::not_found);
  EXPECT_THAT(none.message, HasSubstr("*.json"));
  EXPECT_THAT(none.message, HasSubstr((folder_ / "in").string()));
  const auto no_folder = error_of(get(file("out/*.json")));
  EXPECT_EQ(no_folder.code, ErrorCode::not_found);
  EXPECT_THAT(no_folder.message, HasSubstr("no folder"));
}

TEST_F(Files, folders_and_pipes_are_refused_at_once) {
  fs::create_directory(folder_ / "in");
  const auto folder = error_of(get(file("in")));
  EXPECT_EQ(folder.code, ErrorCode::malformed);
  EXPECT_THAT(folder.message, HasSubstr("*.csv"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const auto pipe = error_of(get(file("pipe")));
  EXPECT_EQ(pipe.code, ErrorCode::malformed);
  EXPECT_THAT(pipe.message, HasSubstr("pipe"));
  policy_.allow_any_path = true;
  auto device = file("x");
  device.file = "/dev/zero";
  EXPECT_THAT(error_of(get(device)).message, HasSubstr("device"));
}

TEST_F(Files, a_stop_ends_the_hashing) {
  write("a.csv", "id\n1\n");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(get(file("a.csv"), {}, stop.get_token())).code, ErrorCode::cancelled);
}

TEST_F(Paths, outside_the_allowed_folders_are_refused_whatever_leads_there) {
  write("allowed/a.csv", "1");
  write("allowed-not/a.csv", "2");
  write("secret/b.csv", "3");
  policy_.allowed_roots = {folder_ / "allowed/"};
  fs::create_symlink(folder_ / "secret/b.csv", folder_ / "allowed/link.csv");
  fs::create_directory_symlink(folder_ / "secret", folder_ / "allowed/dir");
  EXPECT_TRUE(get(file("allowed/a.csv")));
  for (const std::string_view path :
       {"secret/b.csv", "allowed/../secret/b.csv", "allowed/link.csv", "allowed/dir/b.csv",
        "allowed-not/a.csv", "secret/absent.csv", "allowed/dir/*.csv", "allowed/*.csv", "secret/*.csv",
        "allowed/*/../secret/b.csv"}) {
    const auto error = error_of(get(file(path)));
    EXPECT_EQ(error.code, ErrorCode::forbidden) << path;
    EXPECT_THAT(error.message, HasSubstr("--allow-path")) << path;
  }
  policy_.allowed_roots.push_back(folder_ / "secret");
  EXPECT_TRUE(get(file("allowed/link.csv")));
  policy_.allowed_roots.clear();
  EXPECT_FALSE(get(file("allowed/a.csv"))) << "no root, no file";
  policy_.allow_any_path = true;
  EXPECT_TRUE(get(file("allowed/a.csv")));
}

TEST_F(Paths, an_empty_root_allows_nothing) {
  write("a.csv", "1");
  policy_.allowed_roots = {""};
  EXPECT_EQ(error_of(get(file("a.csv"))).code, ErrorCode::forbidden);
}

TEST_F(Paths, a_root_that_is_a_link_is_followed) {
  write("real/a.csv", "1");
  fs::create_directory_symlink(folder_ / "real", folder_ / "root");
  policy_.allowed_roots = {folder_ / "root"};
  EXPECT_TRUE(get(file("root/a.csv")));
  EXPECT_TRUE(get(file("real/a.csv")));
}

}  // namespace
}  // namespace sluice::fetch::test
