#include "definition/check.h"

#include "definition/scalar.h"
#include "definition/yaml_tree.h"
#include "support/paths.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

namespace sluice::definition {
namespace {

using namespace std::chrono_literals;

CheckOptions plain_options() {
  CheckOptions options;
  options.root = "/definitions";
  options.environment = [](std::string_view) { return std::optional<std::string>(); };
  return options;
}

std::string loader_text(std::string_view name, std::string_view extra = "") {
  return fmt::format("name: {}\nschedule: every day at 2am\nsource: {}.json\nkey: id\n{}", name, name, extra);
}

TEST(Check, shipped_definitions_are_valid) {
  CheckOptions options;
  options.root = test::source_dir() + "/definitions";
  const auto files = read_folder(options.root);
  ASSERT_TRUE(files.has_value());
  const auto result = check(*files, options);
  for (const auto& problem : result.problems) ADD_FAILURE() << render(problem);
  EXPECT_EQ(result.catalog->loaders.size(), 3u);
  EXPECT_EQ(result.catalog->service.database, "sqlite:" + test::source_dir() + "/data/sluice.db");
  for (const auto& loader : result.catalog->loaders) {
    for (const auto& source : loader.spec.sources) {
      if (source.file.string().find('*') == std::string::npos) {
        EXPECT_TRUE(std::filesystem::exists(source.file));
      }
    }
  }
}

TEST(Check, an_accepted_file_keeps_its_name_and_table) {
  std::vector<SourceFile> files = {make_source_file("A.loader.yaml", loader_text("Country")),
                                   make_source_file("B.loader.yaml", loader_text("Country"))};
  EXPECT_TRUE(check(files, plain_options()).catalog->loaders.empty());
  files[1].accepted = true;
  const auto result = check(files, plain_options());
  ASSERT_EQ(result.catalog->loaders.size(), 1u);
  EXPECT_EQ(result.catalog->loaders[0].file, "B.loader.yaml");
  EXPECT_FALSE(result.files[0].valid);
  EXPECT_TRUE(result.files[1].valid);
}

TEST(Check, an_accepted_data_source_keeps_its_name) {
  std::vector<SourceFile> files = {
      make_source_file("a.dataSource.yaml", "name: shop\nbaseUrl: https://a.example.org\n"),
      make_source_file("b.dataSource.yaml", "name: shop\nbaseUrl: https://b.example.org\n"),
      make_source_file("L.loader.yaml", "name: L\nschedule: manual\nkey: id\nsource: {dataSource: shop}\n")};
  EXPECT_EQ(check(files, plain_options()).catalog->find("L"), nullptr);
  files[1].accepted = true;
  const auto result = check(files, plain_options());
  ASSERT_NE(result.catalog->find("L"), nullptr);
  EXPECT_EQ(result.catalog->find("L")->spec.sources[0].url, "https://b.example.org");
}

TEST(Check, finds_loaders_by_name_and_by_near_name) {
  const auto result = check({make_source_file("B.loader.yaml", loader_text("Country")),
                             make_source_file("A.loader.yaml", loader_text("Zebra"))},
                            plain_options());
  ASSERT_NE(result.catalog->find("Zebra"), nullptr);
  EXPECT_EQ(result.catalog->find("zebra"), nullptr);
  EXPECT_EQ(result.catalog->nearest_name("Contry"), "Country");
}

TEST(Check, one_bad_file_leaves_the_others) {
  const auto result = check({make_source_file("A.loader.yaml", "name: [\n"),
                             make_source_file("B.loader.yaml", loader_text("Country"))},
                            plain_options());
  EXPECT_FALSE(result.ok());
  ASSERT_EQ(result.files.size(), 2u);
  EXPECT_FALSE(result.files[0].valid);
  EXPECT_TRUE(result.files[1].valid);
  EXPECT_NE(result.catalog->find("Country"), nullptr);
}

TEST(Check, a_broken_service_file_says_so_in_the_catalog) {
  const auto result = check({make_source_file("s.service.yaml", "nmae: x\n")}, plain_options());
  EXPECT_FALSE(result.catalog->service_valid);
}

TEST(Check, file_secrets_outside_need_an_allowed_path) {
  auto options = plain_options();
  options.root = "/definitions/main";
  const std::vector<SourceFile> outside = {
      make_source_file("A.loader.yaml", "name: A\nschedule: manual\nkey: id\nsource: /srv/inbox/a.json\n")};
  EXPECT_FALSE(check(outside, options).ok());
  options.allowed_paths = {"/srv/inbox/"};
  EXPECT_TRUE(check(outside, options).ok());
  options.allowed_paths = {"/srv/inb"};
  EXPECT_FALSE(check(outside, options).ok());
  options.allow_any_path = true;
  EXPECT_TRUE(check(outside, options).ok());
}

TEST(Check, hashes_change_with_what_they_cover) {
  auto files = std::vector<SourceFile>{
      make_source_file("s.service.yaml", "name: S\ndefaults: {guards: {maxRejects: 5%}}\n"),
      make_source_file("A.loader.yaml", loader_text("A"))};
  const auto first = check(files, plain_options());
  files[0] = make_source_file("s.service.yaml", "name: S\ndefaults: {guards: {maxRejects: 6%}}\n");
  const auto second = check(files, plain_options());
  EXPECT_EQ(first.catalog->find("A")->hash, second.catalog->find("A")->hash);
  EXPECT_NE(first.catalog->find("A")->resolved_hash, second.catalog->find("A")->resolved_hash);
  EXPECT_NE(first.catalog->hash, second.catalog->hash);
}

TEST(Checker, gives_on_reload_what_a_fresh_check_gives) {
  std::vector<SourceFile> files;
  for (int i = 0; i < 20; ++i)
    files.push_back(make_source_file(fmt::format("L{}.loader.yaml", i), loader_text(fmt::format("L{}", i))));
  files.push_back(make_source_file("s.service.yaml", "name: S\n"));
  Checker checker(plain_options());
  const auto same_as_fresh = [&] {
    const auto cached = checker.check(files);
    const auto fresh = check(files, plain_options());
    EXPECT_EQ(cached.catalog->hash, fresh.catalog->hash);
    ASSERT_EQ(cached.problems.size(), fresh.problems.size());
    for (std::size_t i = 0; i < fresh.problems.size(); ++i)
      EXPECT_EQ(render(cached.problems[i]), render(fresh.problems[i]));
    ASSERT_EQ(cached.catalog->loaders.size(), fresh.catalog->loaders.size());
    for (std::size_t i = 0; i < fresh.catalog->loaders.size(); ++i)
      EXPECT_EQ(resolved_yaml(cached.catalog->loaders[i]), resolved_yaml(fresh.catalog->loaders[i]));
  };
  same_as_fresh();
  same_as_fresh();
  files[3] = make_source_file("L3.loader.yaml", loader_text("L3", "enabled: false\n"));
  same_as_fresh();
  files[4] = make_source_file("L4.loader.yaml", loader_text("L5"));  // a clash
  same_as_fresh();
  files[4] = make_source_file("L4.loader.yaml", "name: [");
  same_as_fresh();
  files.back() = make_source_file("s.service.yaml", "name: S\ntimezone: Europe/Zurich\n");
  same_as_fresh();
  files.erase(files.begin());
  same_as_fresh();
}

TEST(Checker, takes_a_thousand_files_and_tells_the_time) {
  std::vector<SourceFile> files;
  for (int i = 0; i < 1000; ++i) {
    files.push_back(make_source_file(
        fmt::format("L{}.loader.yaml", i),
        loader_text(
            fmt::format("L{}", i),
            "load: {vanished: softDelete}\nguards: {maxDeletes: 5%}\ncolumns:\n  id: int64\n  name: {from: "
            "names.common, required: true}\n  population: int64\n  area: decimal(12,2)\n")));
  }
  Checker checker(plain_options());
  const auto start = std::chrono::steady_clock::now();
  const auto first = checker.check(files);
  const auto middle = std::chrono::steady_clock::now();
  files[500] = make_source_file("L500.loader.yaml", loader_text("L500"));
  const auto second = checker.check(files);
  const auto end = std::chrono::steady_clock::now();
  EXPECT_TRUE(first.ok());
  EXPECT_EQ(second.catalog->loaders.size(), 1000u);
  fmt::print("1,000 files: check {} ms, reload after one edit {} ms\n", (middle - start) / 1ms,
             (end - middle) / 1ms);
}

TEST(Check, never_crashes_on_a_file_cut_off_anywhere) {
  const auto text = loader_text("Country", "load: {mode: sync}\nheaders: &h {A: 'b'}\nx: [*h, \"é\"]\n");
  for (std::size_t n = 0; n <= text.size(); ++n)
    EXPECT_EQ(check({make_source_file("A.loader.yaml", text.substr(0, n))}, plain_options()).files.size(),
              1u);
}

TEST(Check, large_and_hostile_files_are_problems) {
  for (const std::string& text :
       {std::string(2'000'000, 'x'), std::string(200'000, '['), std::string(200'000, '{'),
        std::string(100'000, '-'), "a: " + std::string(500'000, 'y') + "\n\tb: c",
        std::string("%YAML 9.9\n---\na"), std::string("!<tag:x> &a *a"), std::string("? ? ? ?"),
        std::string("a: |\n b\nc")}) {
    const auto result = check({make_source_file("A.loader.yaml", text)}, plain_options());
    EXPECT_FALSE(result.ok()) << text.substr(0, 20);
  }
}

TEST(ReadFolder, reports_directories_and_dead_links_and_large_files) {
  const auto root = std::filesystem::path(testing::TempDir()) / "sluice-read-folder";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root / "Dir.loader.yaml");
  std::filesystem::create_directories(root / ".git");
  std::filesystem::create_symlink("nowhere", root / "Link.loader.yaml");
  std::ofstream(root / "Big.loader.yaml") << std::string(kMaxFileSize + 1, 'x');
  std::ofstream(root / ".git" / "X.loader.yaml") << "x";
  const auto files = read_folder(root);
  ASSERT_TRUE(files.has_value());
  ASSERT_EQ(files->size(), 3u);
  EXPECT_NE((*files)[0].problem.find("too large"), std::string::npos);
  EXPECT_NE((*files)[1].problem.find("directory"), std::string::npos);
  EXPECT_NE((*files)[2].problem, "");
  EXPECT_FALSE(check(*files, plain_options()).ok());
  std::filesystem::remove_all(root);
  EXPECT_EQ(read_folder(root).error().code, ErrorCode::not_found);
}

TEST(Scalars, follow_the_core_rules) {
  EXPECT_EQ(parse_integer("017"), 17);
  EXPECT_EQ(parse_integer("0o17"), 15);
  EXPECT_EQ(parse_integer("-0x1"), std::nullopt);
  EXPECT_EQ(parse_integer("1_000"), std::nullopt);
  EXPECT_EQ(parse_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_boolean("yes"), std::nullopt);
  EXPECT_EQ(parse_nox_boolean("Yes"), true);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("30"), std::nullopt);
  EXPECT_EQ(parse_duration("-5s"), std::nullopt);
  EXPECT_EQ(parse_duration("999999999d"), std::nullopt);
  EXPECT_EQ(format_duration(90min), "90m");
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(parse_size("1.5 KiB"), 1536u);
  EXPECT_EQ(parse_size("1PB"), std::nullopt);
  EXPECT_EQ(parse_limit("12.5%"), (Limit{0.125, true}));
  EXPECT_EQ(parse_limit("0.5"), std::nullopt);
  EXPECT_EQ(parse_character("tab"), '\t');
  EXPECT_EQ(parse_character("é"), std::nullopt);
}

}  // namespace
}  // namespace sluice::definition
