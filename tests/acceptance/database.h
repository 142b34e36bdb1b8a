// A database file as another program sees it: through SQLite itself, with nothing of ours in between.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sqlite3;

namespace sluice::test {

class Database {
 public:
  enum class Access : std::uint8_t { read, write };
  // The file must be there. What goes wrong is thrown as std::runtime_error: the test ends.
  explicit Database(const std::string& file, Access access = Access::read);

  // Statements without rows.
  void execute(const std::string& sql) const;
  // Every row; NULL is nothing. Blobs come as bytes.
  using Row = std::vector<std::optional<std::string>>;
  std::vector<Row> rows(const std::string& sql) const;
  // The first column of the first row, 0 where there is none.
  std::int64_t number(const std::string& sql) const;
  bool has_table(const std::string& name) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace sluice::test
