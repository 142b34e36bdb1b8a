// A user's folder for one test: definitions, data, and the built program run in it.
#pragma once

#include "acceptance/process.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace sluice::test {

using Json = nlohmann::ordered_json;

class Site {
 public:
  Site();
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path definitions() const { return path() / "definitions"; }
  std::filesystem::path data() const { return path() / "data"; }

  // definitions/NAME.loader.yaml
  void write_loader(const std::string& name, const std::string& yaml) const;
  void write(const std::string& relative, const std::string& text) const;
  // The repository's definitions/ and sample-data/.
  void copy_demo() const;

  // `sluice WORDS…` in this folder.
  Finished sluice(const std::vector<std::string>& words) const;
  // The same through `sh -c`, with the text on standard input.
  Finished sluice_with_input(const std::vector<std::string>& words, const std::string& input) const;
  // `sluice run NAME --json`, its one receipt.
  struct Run {
    int exit_code;
    Json receipt;
    std::string err;
  };
  Run run(const std::string& name, const std::vector<std::string>& more = {}) const;
  // Rows of a query on data/sluice.db (or another file), as texts joined by '|'; NULL is "NULL".
  std::vector<std::string> query(const std::string& sql, const std::string& file = "data/sluice.db") const;
  std::int64_t count(const std::string& table) const;

 private:
  TemporaryFolder folder_;
};

// Each line of the text as JSON; a line that is none fails the test.
std::vector<Json> json_lines(const std::string& text);
std::vector<std::string> keys_of(const Json& object);
// read = rejected + duplicates + inserted + updated + restored + unchanged + ignored + deletedBySource
void expect_balanced(const Json& receipt);

}  // namespace sluice::test
