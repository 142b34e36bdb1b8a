// What cannot be read is told of, and is never taken for absent.
#include "base/without_rights.h"
#include "definition/check.h"
#include "definition/source_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace sluice::definition {
namespace {

namespace fs = std::filesystem;

class ReadFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-read-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::permissions(root_, fs::perms(0755));
  }
  void TearDown() override {
    for (const auto& entry : fs::directory_iterator(root_)) {
      if (!entry.is_symlink()) fs::permissions(entry.path(), fs::perms(0700));
    }
    fs::remove_all(root_);
  }
  void write(const fs::path& file) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << "name: X\n";
  }
  // Read as an ordinary user; by path.
  Result<std::map<std::string, SourceFile>> read() {
    const WithoutRights user;
    SLUICE_TRY(const auto files, read_folder(root_));
    std::map<std::string, SourceFile> result;
    for (const auto& file : files) result.emplace(file.path, file);
    return result;
  }

  fs::path root_;
};

TEST_F(ReadFolderTest, a_sub_folder_that_cannot_be_read_is_told_of) {
  write("A.loader.yaml");
  write("shut/B.loader.yaml");
  write("open/C.loader.yaml");
  fs::permissions(root_ / "shut", fs::perms::none);
  const auto files = read();
  ASSERT_TRUE(files) << files.error().describe();
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ(files->at("A.loader.yaml").problem, "");
  EXPECT_EQ(files->at("open/C.loader.yaml").problem, "");
  const SourceFile& shut = files->at("shut/");
  EXPECT_EQ(shut.kind, FileKind::folder);
  EXPECT_NE(shut.problem.find("cannot be read"), std::string::npos) << shut.problem;
  EXPECT_NE(shut.problem.find("Permission denied"), std::string::npos) << shut.problem;

  CheckOptions options;
  options.root = root_;
  const auto checked = check({shut}, options);
  EXPECT_FALSE(checked.ok());
  ASSERT_EQ(checked.problems.size(), 1u);
  EXPECT_EQ(render(checked.problems[0]).substr(0, 31), "shut/: error: cannot be read: P");
  EXPECT_FALSE(checked.files.at(0).valid);
}

TEST_F(ReadFolderTest, a_folder_whose_files_cannot_be_reached_is_told_of_file_by_file) {
  write("shut/B.loader.yaml");
  fs::permissions(root_ / "shut", fs::perms(0744));  // may be listed, not entered
  const auto files = read();
  ASSERT_TRUE(files) << files.error().describe();
  EXPECT_NE(files->at("shut/B.loader.yaml").problem, "");
}

TEST_F(ReadFolderTest, a_root_that_cannot_be_read_is_an_error) {
  write("A.loader.yaml");
  fs::permissions(root_, fs::perms(0711));
  const auto files = read();
  ASSERT_FALSE(files) << files->size() << " files of a folder that nobody could read";
  EXPECT_NE(files.error().describe().find(root_.string()), std::string::npos) << files.error().describe();
  EXPECT_NE(files.error().describe().find("Permission denied"), std::string::npos);
  fs::permissions(root_, fs::perms(0755));
}

TEST_F(ReadFolderTest, links_that_lead_in_a_circle_or_nowhere_are_told_of) {
  fs::create_symlink("Loop.loader.yaml", root_ / "Loop.loader.yaml");
  fs::create_symlink("nowhere", root_ / "Dead.loader.yaml");
  fs::create_directory(root_ / "Dir.loader.yaml");
  const auto files = read();
  ASSERT_TRUE(files) << files.error().describe();
  for (const auto* path : {"Loop.loader.yaml", "Dead.loader.yaml", "Dir.loader.yaml"}) {
    EXPECT_EQ(files->at(path).kind, FileKind::loader);
    EXPECT_NE(files->at(path).problem, "") << path;
  }
  EXPECT_EQ(files->at("Dead.loader.yaml").problem, "is a link to \"nowhere\", and there is no such file");
  EXPECT_EQ(files->at("Loop.loader.yaml").problem, "is a link that leads back to itself");
  EXPECT_EQ(files->at("Dir.loader.yaml").problem, "is a directory, not a file");

  std::vector<SourceFile> all;
  for (const auto& [path, file] : *files) all.push_back(file);
  CheckOptions options;
  options.root = root_;
  EXPECT_EQ(check(all, options).problems.size(), 3u) << "each is told once";
}

TEST_F(ReadFolderTest, a_link_to_a_folder_of_definitions_is_told_of_and_not_followed) {
  write("A.loader.yaml");
  write("real/B.loader.yaml");
  write("data/c.csv");
  fs::create_directory_symlink("real", root_ / "link");
  fs::create_directory_symlink("data", root_ / "other");
  fs::create_directory_symlink("real", root_ / "C.loader.yaml");
  fs::create_directory_symlink(".", root_ / "circle");
  const auto files = read();
  ASSERT_TRUE(files) << files.error().describe();
  EXPECT_FALSE(files->contains("link/B.loader.yaml"));
  ASSERT_TRUE(files->contains("link"));
  EXPECT_FALSE(files->contains("other")) << "nothing in it is a definition";
  EXPECT_EQ(files->at("C.loader.yaml").problem, "is a link to the directory \"real\", not a file");

  CheckOptions options;
  options.root = root_;
  const auto checked = check({files->at("link")}, options);
  ASSERT_EQ(checked.problems.size(), 1u);
  EXPECT_EQ(checked.problems[0].severity, Problem::Severity::warning);
  EXPECT_EQ(render(checked.problems[0]),
            "link: warning: is a link to the folder \"real\", and such links are not searched; put the "
            "definitions here, or a link to each file");
}

}  // namespace
}  // namespace sluice::definition
