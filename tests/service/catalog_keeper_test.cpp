#include "service/catalog_keeper.h"

#include "base/without_rights.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace sluice::service {
namespace {

namespace fs = std::filesystem;

// A definition store in memory; the real ones have their own suite.
class MemoryStore final : public jobs::DefinitionStore {
 public:
  Result<void> save(std::span<const jobs::StoredDefinition> definitions) override {
    for (const auto& one : definitions) kept[{one.kind, one.name}] = one;
    return {};
  }
  Result<std::vector<jobs::StoredDefinition>> load() override {
    std::vector<jobs::StoredDefinition> all;
    for (const auto& [key, one] : kept) all.push_back(one);
    return all;
  }
  Result<void> set_error(std::string_view kind, std::string_view name, std::string_view error) override {
    kept[{std::string(kind), std::string(name)}].error = error;
    return {};
  }
  Result<void> remove(std::string_view kind, std::string_view name) override {
    kept.erase({std::string(kind), std::string(name)});
    return {};
  }
  std::map<std::pair<std::string, std::string>, jobs::StoredDefinition> kept;
};

class CatalogKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-keeper-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::permissions(folder_, fs::perms(0755));
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& file, const std::string& text) { std::ofstream(folder_ / file) << text; }
  void write_loader(const std::string& name, const std::string& schedule = "every day at 2am") {
    write(name + ".loader.yaml",
          "name: " + name + "\nschedule: " + schedule + "\nsource: {file: data.json}\nkey: id\n");
  }
  CatalogKeeper keeper() {
    definition::CheckOptions options;
    options.root = folder_;
    return CatalogKeeper(std::move(options), &store_, clock_);
  }
  static CatalogKeeper::Changed reload(CatalogKeeper& keeper) {
    auto changed = keeper.reload();
    EXPECT_TRUE(changed.has_value()) << changed.error().describe();
    return changed.value_or(CatalogKeeper::Changed{});
  }

  fs::path folder_;
  MemoryStore store_;
  ManualClock clock_{Timestamp(std::chrono::hours(490'000))};
};

TEST_F(CatalogKeeperTest, remembers_what_it_accepts_and_tells_what_is_new) {
  write_loader("A");
  auto first = keeper();
  EXPECT_EQ(reload(first).added, std::vector<std::string>{"A"});
  EXPECT_TRUE(store_.kept.contains({"loader", "A"}));
  EXPECT_TRUE(reload(first).added.empty());
  write_loader("B");
  EXPECT_EQ(reload(first).added, std::vector<std::string>{"B"});
}

TEST_F(CatalogKeeperTest, a_file_that_breaks_keeps_running_as_it_was_accepted) {
  write_loader("A", "every day at 3am");
  auto running = keeper();
  reload(running);
  write("A.loader.yaml", "name: A\nschedule: [\n");
  const auto changed = reload(running);
  EXPECT_TRUE(changed.removed.empty());
  const auto* loader = running.current()->catalog->find("A");
  ASSERT_NE(loader, nullptr);
  EXPECT_EQ(loader->spec.schedule.phrase, "every day at 3am");
  EXPECT_TRUE(running.current()->files.at(0).using_stored);
  EXPECT_FALSE(running.current()->files.at(0).report.valid);
  EXPECT_FALSE((store_.kept[{"loader", "A"}].error.empty()));
}

TEST_F(CatalogKeeperTest, a_file_that_is_broken_at_start_runs_as_stored) {
  write_loader("A");
  {
    auto before = keeper();
    reload(before);
  }
  write("A.loader.yaml", "nonsense");
  auto after = keeper();
  EXPECT_TRUE(reload(after).removed.empty());
  EXPECT_NE(after.current()->catalog->find("A"), nullptr);
}

TEST_F(CatalogKeeperTest, only_an_absent_file_takes_its_loader_away) {
  write_loader("A");
  write_loader("B");
  {
    auto before = keeper();
    reload(before);
  }
  fs::remove(folder_ / "A.loader.yaml");
  auto after = keeper();
  EXPECT_EQ(reload(after).removed, std::vector<std::string>{"A"});
  EXPECT_FALSE(store_.kept.contains({"loader", "A"}));
  EXPECT_EQ(after.current()->catalog->find("A"), nullptr);
  EXPECT_NE(after.current()->catalog->find("B"), nullptr);
}

TEST_F(CatalogKeeperTest, a_file_that_is_renamed_inside_retires_the_old_name) {
  write_loader("A");
  auto running = keeper();
  reload(running);
  write("A.loader.yaml", "name: C\nschedule: every day at 2am\nsource: {file: data.json}\nkey: id\n");
  const auto changed = reload(running);
  EXPECT_EQ(changed.removed, std::vector<std::string>{"A"});
  EXPECT_EQ(changed.added, std::vector<std::string>{"C"});
  EXPECT_FALSE(store_.kept.contains({"loader", "A"}));
  EXPECT_TRUE(store_.kept.contains({"loader", "C"}));
}

TEST_F(CatalogKeeperTest, a_broken_service_file_stops_nothing_that_runs) {
  write("sluice.service.yaml", "name: S\ntimezone: Europe/Zurich\n");
  write_loader("A");
  auto running = keeper();
  reload(running);
  write("sluice.service.yaml", "name: S\ntimezone: Nowhere/Land\n");
  EXPECT_TRUE(reload(running).removed.empty());
  const auto* loader = running.current()->catalog->find("A");
  ASSERT_NE(loader, nullptr);
  EXPECT_EQ(loader->spec.schedule.timezone, "Europe/Zurich");
}

TEST_F(CatalogKeeperTest, a_copy_of_a_loader_does_not_take_the_accepted_one_down) {
  write_loader("A");
  {
    auto before = keeper();
    reload(before);
  }
  fs::copy_file(folder_ / "A.loader.yaml", folder_ / "B.loader.yaml");
  auto after = keeper();
  EXPECT_TRUE(reload(after).removed.empty());
  const auto* loader = after.current()->catalog->find("A");
  ASSERT_NE(loader, nullptr);
  EXPECT_EQ(loader->file, "A.loader.yaml");
}

// The keeper reads as an ordinary user would.
TEST_F(CatalogKeeperTest, a_sub_folder_that_cannot_be_read_takes_nothing_away) {
  fs::create_directory(folder_ / "team");
  write("team/service.service.yaml", "name: S\ndefaults:\n  schedule: every day at 4am\n");
  write_loader("team/A");
  write("team/A.loader.yaml", "name: A\nsource: {file: data.json}\nkey: id\n");
  write_loader("B");
  auto running = keeper();
  reload(running);
  fs::permissions(folder_ / "team", fs::perms::none);
  for (const bool restarted : {false, true}) {
    auto fresh = keeper();
    CatalogKeeper& now = restarted ? fresh : running;
    {
      const WithoutRights user;
      EXPECT_TRUE(reload(now).removed.empty()) << "restarted: " << restarted;
    }
    const auto* loader = now.current()->catalog->find("A");
    ASSERT_NE(loader, nullptr) << "restarted: " << restarted;
    EXPECT_EQ(loader->spec.schedule.phrase, "every day at 4am") << "with the service file beside it";
    EXPECT_NE(now.current()->catalog->find("B"), nullptr);
    std::map<std::string, const FileState*> files;
    for (const auto& file : now.current()->files) files[file.report.file] = &file;
    ASSERT_TRUE(files.contains("team/"));
    EXPECT_FALSE(files["team/"]->report.problems.empty());
    ASSERT_TRUE(files.contains("team/A.loader.yaml"));
    EXPECT_TRUE(files["team/A.loader.yaml"]->using_stored);
    EXPECT_EQ(files["team/A.loader.yaml"]->report.name, "A");
    EXPECT_NE((store_.kept[{"loader", "A"}].error.find("team/")), std::string::npos);
  }
  fs::permissions(folder_ / "team", fs::perms(0755));
  EXPECT_TRUE(reload(running).removed.empty());
  EXPECT_TRUE((store_.kept[{"loader", "A"}].error.empty()));
  fs::remove(folder_ / "team" / "A.loader.yaml");
  EXPECT_EQ(reload(running).removed, std::vector<std::string>{"A"});
}

TEST_F(CatalogKeeperTest, a_file_that_cannot_be_read_runs_as_stored) {
  write_loader("A");
  auto running = keeper();
  reload(running);
  fs::permissions(folder_ / "A.loader.yaml", fs::perms::none);
  {
    const WithoutRights user;
    EXPECT_TRUE(reload(running).removed.empty());
  }
  EXPECT_NE(running.current()->catalog->find("A"), nullptr);
  EXPECT_TRUE(running.current()->files.at(0).using_stored);
}

TEST_F(CatalogKeeperTest, a_root_that_cannot_be_read_is_an_error_and_changes_nothing) {
  write_loader("A");
  auto running = keeper();
  reload(running);
  fs::permissions(folder_, fs::perms(0711));
  {
    const WithoutRights user;
    EXPECT_FALSE(running.reload());
  }
  EXPECT_NE(running.current()->catalog->find("A"), nullptr);
  EXPECT_TRUE(store_.kept.contains({"loader", "A"}));
}

TEST_F(CatalogKeeperTest, a_folder_that_is_gone_is_an_error_and_changes_nothing) {
  write_loader("A");
  auto running = keeper();
  reload(running);
  fs::remove_all(folder_);
  EXPECT_FALSE(running.reload().has_value());
  EXPECT_NE(running.current()->catalog->find("A"), nullptr);
  EXPECT_TRUE(store_.kept.contains({"loader", "A"}));
}

}  // namespace
}  // namespace sluice::service
