// What the command line's policy refuses at run time, `check` refuses already, with the same code.
#include "definition/check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace sluice::definition {
namespace {

namespace fs = std::filesystem;

class Policy : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sluice-policy-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directories(folder_ / "home/definitions");
    fs::create_directories(folder_ / "outside");
    std::ofstream(folder_ / "outside/secret.csv") << "id\n1\n";
    options_.root = folder_ / "home/definitions";
  }
  void TearDown() override { fs::remove_all(folder_); }

  CheckResult check_source(const std::string& source) const {
    return check({make_source_file("sub/L.loader.yaml",
                                   "name: L\nschedule: manual\nkey: id\nsource: " + source + "\n")},
                 options_);
  }
  void expect_forbidden(const std::string& source, const std::string& option) const {
    const auto result = check_source(source);
    ASSERT_EQ(result.problems.size(), 1u) << source;
    const auto& problem = result.problems[0];
    EXPECT_EQ(problem.code, ErrorCode::forbidden) << render(problem);
    EXPECT_EQ(problem.place.line, 4);
    EXPECT_NE(render(problem).find(option), std::string::npos) << render(problem);
  }

  fs::path folder_;
  CheckOptions options_;
};

TEST_F(Policy, a_path_outside_is_forbidden_also_by_way_of_a_link) {
  expect_forbidden((folder_ / "outside/secret.csv").string(), "--allow-path");
  expect_forbidden("../../../outside/*.csv", "--allow-path");
  fs::create_symlink(folder_ / "outside/secret.csv", folder_ / "home/link.csv");
  expect_forbidden("../../link.csv", "(really " + (folder_ / "outside/secret.csv").string() + ")");
  expect_forbidden("../../link.csv", "--allow-path " + (folder_ / "outside").string() + " ");
  fs::create_directory_symlink(folder_ / "outside", folder_ / "home/linked");
  expect_forbidden("../../linked/secret.csv", "--allow-path");
  expect_forbidden("../../linked/*.csv", "--allow-path");
  const auto spliced = check_source("{url: \"https://example.org/${file:../../link.csv}\"}");
  EXPECT_TRUE(std::any_of(spliced.problems.begin(), spliced.problems.end(),
                          [](const auto& problem) { return problem.code == ErrorCode::forbidden; }));

  options_.allowed_paths = {folder_ / "outside/"};
  EXPECT_TRUE(check_source("../../link.csv").ok());
  EXPECT_TRUE(check_source((folder_ / "outside/secret.csv").string()).ok());
}

TEST_F(Policy, a_link_within_the_allowed_folders_is_fine) {
  std::ofstream(folder_ / "home/real.csv") << "id\n1\n";
  fs::create_symlink("real.csv", folder_ / "home/link.csv");
  EXPECT_TRUE(check_source("../../link.csv").ok());
  // The folder as a whole may be a link: what counts is where things really are.
  fs::create_directory_symlink(folder_ / "home", folder_ / "alias");
  options_.root = folder_ / "alias/definitions";
  EXPECT_TRUE(check_source("../../real.csv").ok());
  options_.root = folder_ / "alias/definitions/";
  EXPECT_TRUE(check_source("../../real.csv").ok());
}

TEST_F(Policy, an_address_that_a_run_may_not_ask_is_forbidden) {
  options_.url_allowed = [](const std::string& url) -> Result<void> {
    if (url.find("169.254.") == std::string::npos) return {};
    return fail(ErrorCode::forbidden, "not this address; start with --allow-address to allow it");
  };
  expect_forbidden("http://169.254.169.254/latest", "--allow-address");
  EXPECT_TRUE(check_source("https://example.org/169").ok());
  const auto result =
      check({make_source_file("m.dataSource.yaml", "name: m\nbaseUrl: http://169.254.169.254\n")}, options_);
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].code, ErrorCode::forbidden);
  EXPECT_EQ(result.problems[0].place.line, 2);
}

}  // namespace
}  // namespace sluice::definition
