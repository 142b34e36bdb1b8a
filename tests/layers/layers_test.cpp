// Holds every #include of the tree against the tables of docs/architecture.md.
#include "support/paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
const fs::path kRoot = sluice::test::source_dir();

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> cells(const std::string& row) {
  std::vector<std::string> result;
  std::stringstream stream(row);
  std::string cell;
  std::getline(stream, cell, '|');
  while (std::getline(stream, cell, '|')) {
    const auto begin = cell.find_first_not_of(" `");
    const auto end = cell.find_last_not_of(" `");
    result.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return result;
}

std::set<std::string> words(std::string text) {
  std::erase(text, '`');
  std::replace(text.begin(), text.end(), ',', ' ');
  std::stringstream stream(text);
  std::set<std::string> result;
  for (std::string word; stream >> word;) result.insert(word);
  return result;
}

struct Tables {
  std::map<std::string, std::set<std::string>> may_use;
  std::map<std::string, std::set<std::string>> wrapped_in;  // header prefix -> folders
};

Tables read_tables() {
  Tables tables;
  std::stringstream text(read(kRoot / "docs/architecture.md"));
  int table = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("| folder")) table = 1;
    if (line.starts_with("| header")) table = 2;
    if (!line.starts_with("|")) table = 0;
    if (table == 0 || line.starts_with("|---") || line.starts_with("| folder") ||
        line.starts_with("| header"))
      continue;
    const auto row = cells(line);
    if (table == 1) {
      tables.may_use[row.at(0)] = words(row.at(1));
    } else {
      for (const auto& header : words(row.at(0))) tables.wrapped_in[header] = words(row.at(1));
    }
  }
  return tables;
}

std::vector<fs::path> sources(const fs::path& folder) {
  std::vector<fs::path> result;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".h" || entry.path().extension() == ".cpp")
      result.push_back(entry.path());
  }
  return result;
}

std::vector<std::string> includes(const fs::path& path) {
  std::vector<std::string> result;
  std::stringstream text(read(path));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("#include")) continue;
    const auto begin = line.find_first_of("\"<");
    const auto end = line.find_last_of("\">");
    if (begin != std::string::npos && end > begin) result.push_back(line.substr(begin + 1, end - begin - 1));
  }
  return result;
}

TEST(Layers, every_folder_has_a_row_and_every_row_a_folder) {
  const auto tables = read_tables();
  for (const auto& entry : fs::directory_iterator(kRoot / "src")) {
    EXPECT_TRUE(tables.may_use.contains(entry.path().filename())) << entry.path();
  }
  for (const auto& [folder, uses] : tables.may_use) {
    EXPECT_TRUE(fs::exists(folder == "english-cron" ? kRoot / folder : kRoot / "src" / folder)) << folder;
  }
}

TEST(Layers, the_table_points_only_down) {
  const auto tables = read_tables();
  for (const auto& [folder, uses] : tables.may_use) {
    for (const auto& used : uses) {
      ASSERT_TRUE(tables.may_use.contains(used)) << folder << " uses unknown " << used;
      EXPECT_FALSE(tables.may_use.at(used).contains(folder))
          << folder << " and " << used << " use each other";
    }
  }
}

TEST(Layers, a_folder_includes_only_what_its_row_names) {
  const auto tables = read_tables();
  std::size_t files = 0;
  for (const auto& [folder, uses] : tables.may_use) {
    const auto root = folder == "english-cron" ? kRoot / folder : kRoot / "src" / folder;
    for (const auto& path : sources(root)) {
      ++files;
      for (const auto& header : includes(path)) {
        const auto slash = header.find('/');
        if (slash == std::string::npos) continue;
        auto used = header.substr(0, slash);
        if (used == "english_cron") used = "english-cron";
        if (used == folder || !tables.may_use.contains(used)) continue;
        EXPECT_TRUE(uses.contains(used)) << path << " includes " << header;
      }
    }
  }
  EXPECT_GT(files, 100u);
}

TEST(Layers, wrapped_libraries_stay_in_their_folder) {
  const auto tables = read_tables();
  ASSERT_FALSE(tables.wrapped_in.empty());
  for (const auto& path : sources(kRoot / "src")) {
    const auto folder = fs::relative(path, kRoot / "src").begin()->string();
    for (const auto& header : includes(path)) {
      for (const auto& [prefix, owners] : tables.wrapped_in) {
        if (header.starts_with(prefix)) {
          EXPECT_TRUE(owners.contains(folder)) << path << " includes " << header;
        }
      }
    }
  }
}

TEST(Layers, files_stay_short_and_folders_are_named_for_their_work) {
  const std::set<std::string> vague = {"util", "utils", "common", "helper", "helpers", "manager", "misc"};
  for (const auto& root : {kRoot / "src", kRoot / "english-cron"}) {
    for (const auto& path : sources(root)) {
      const auto text = read(path);
      EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 400) << path;
      EXPECT_FALSE(vague.contains(path.stem().string())) << path;
      if (path.extension() == ".h") {
        EXPECT_NE(text.find("#pragma once"), std::string::npos) << path;
      }
    }
  }
}

}  // namespace
