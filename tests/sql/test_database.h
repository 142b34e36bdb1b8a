// A database for one test, and the list of databases that every conformance suite runs on.
#pragma once

#include "sql/sqlite.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

class TestDatabase {
 public:
  virtual ~TestDatabase() = default;
  // Each call is another connection to the same database.
  virtual Result<std::unique_ptr<sql::Connection>> open(const sql::OpenOptions& options) = 0;
  std::unique_ptr<sql::Connection> connect(const sql::OpenOptions& options = {}) {
    auto connection = open(options);
    if (!connection) {
      ADD_FAILURE() << connection.error().describe();
      std::abort();
    }
    return std::move(*connection);
  }
};

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class SqliteTestDatabase final : public TestDatabase {
 public:
  Result<std::unique_ptr<sql::Connection>> open(const sql::OpenOptions& options) override {
    return sql::open_sqlite(file(), options);
  }
  std::filesystem::path file() const { return folder_.path() / "test.db"; }

 private:
  TestFolder folder_;
};

struct DatabaseFactory {
  std::string name;
  std::unique_ptr<TestDatabase> (*make)();
};
inline std::vector<DatabaseFactory> databases() {
  return {
      {"sqlite", []() -> std::unique_ptr<TestDatabase> { return std::make_unique<SqliteTestDatabase>(); }}};
}
inline std::string database_name(const testing::TestParamInfo<DatabaseFactory>& info) {
  return info.param.name;
}
// gtest prints the parameter of a failed test.
inline void PrintTo(const DatabaseFactory& factory, std::ostream* out) { *out << factory.name; }

// A conformance suite: derive, then INSTANTIATE_TEST_SUITE_P over databases().
class OnEveryDatabase : public testing::TestWithParam<DatabaseFactory> {
 protected:
  std::unique_ptr<TestDatabase> database_ = GetParam().make();
  std::unique_ptr<sql::Connection> connection_ = database_->connect();
};

#define ASSERT_OK(expression)                                           \
  do {                                                                  \
    const auto& assert_ok = (expression);                               \
    ASSERT_TRUE(assert_ok.has_value()) << assert_ok.error().describe(); \
  } while (false)
// The value, or the end of the test process with the error printed.
template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().describe();
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// The rows of a query as text: "1|a|NULL", one string a row.
inline std::vector<std::string> rows_of(sql::Connection& connection, std::string_view query) {
  auto select = must(connection.prepare(query));
  std::vector<std::string> rows;
  while (must(select->step())) {
    std::string row;
    for (int i = 0; i < select->column_count(); ++i) {
      if (i > 0) row += '|';
      const sql::Value value = select->column(i);
      switch (value.kind) {
        case sql::Kind::null:
          row += "NULL";
          break;
        case sql::Kind::integer:
          row += std::to_string(value.integer);
          break;
        case sql::Kind::real:
          row += "r:" + std::to_string(value.real);
          break;
        default:
          row += value.bytes;
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}
inline std::string cell_of(sql::Connection& connection, std::string_view query) {
  const auto rows = rows_of(connection, query);
  return rows.empty() ? std::string("(no row)") : rows[0];
}

}  // namespace sluice::test
