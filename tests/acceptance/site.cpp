#include "acceptance/site.h"

#include "acceptance/database.h"
#include "support/paths.h"

#include <cstdlib>
#include <sstream>

namespace sluice::test {

namespace fs = std::filesystem;

Site::Site() {
  ::setenv("no_proxy", "*", 1);  // the loopback servers are never behind the machine's proxy
  fs::create_directories(definitions());
}

void Site::write_loader(const std::string& name, const std::string& yaml) const {
  write_text(definitions() / (name + ".loader.yaml"), yaml);
}

void Site::write(const std::string& relative, const std::string& text) const {
  write_text(path() / relative, text);
}

void Site::copy_demo() const {
  for (const auto* folder : {"definitions", "sample-data"}) {
    fs::copy(fs::path(test::source_dir()) / folder, path() / folder,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }
}

Finished Site::sluice(const std::vector<std::string>& words) const {
  std::vector<std::string> command = {sluice_program()};
  command.insert(command.end(), words.begin(), words.end());
  return test::run(command, path());
}

Finished Site::sluice_with_input(const std::vector<std::string>& words, const std::string& input) const {
  write(".input", input);
  std::vector<std::string> command = {"/bin/sh", "-c", "exec \"$0\" \"$@\" < .input", sluice_program()};
  command.insert(command.end(), words.begin(), words.end());
  return test::run(command, path());
}

Site::Run Site::run(const std::string& name, const std::vector<std::string>& more) const {
  std::vector<std::string> words = {"run", name, "--json"};
  words.insert(words.end(), more.begin(), more.end());
  auto finished = sluice(words);
  const auto lines = json_lines(finished.out);
  EXPECT_EQ(lines.size(), 1U) << finished.out << finished.err;
  return {finished.exit_code, lines.empty() ? Json::object() : lines.front(), finished.err};
}

std::vector<std::string> Site::query(const std::string& sql, const std::string& file) const {
  const Database database((path() / file).string());
  std::vector<std::string> rows;
  for (const auto& cells : database.rows(sql)) {
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) row += (i > 0 ? "|" : "") + cells[i].value_or("NULL");
  }
  return rows;
}

std::int64_t Site::count(const std::string& table) const {
  return std::stoll(query("select count(*) from \"" + table + '"').front());
}

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    auto json = Json::parse(line, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << "not JSON: " << line;
    result.push_back(std::move(json));
  }
  return result;
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

void expect_balanced(const Json& receipt) {
  std::int64_t sum = 0;
  for (const auto* part : {"rejected", "duplicates", "inserted", "updated", "restored", "unchanged",
                           "ignored", "deletedBySource"}) {
    sum += receipt.at(part).get<std::int64_t>();
  }
  EXPECT_EQ(receipt.at("read").get<std::int64_t>(), sum) << receipt.dump();
}

}  // namespace sluice::test
