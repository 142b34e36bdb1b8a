#include "load/stored_content.h"

#include "sql/identifier.h"

#include <fmt/format.h>

#include <vector>

namespace sluice::load::test {

Content stored_content(sql::Connection& connection, const std::string& table) {
  Content content;
  auto columns = connection.prepare("select name from pragma_table_info('" + table + "')");
  std::vector<std::string> names;
  std::string list;
  while (*(*columns)->step()) {
    names.emplace_back((*columns)->text(0));
    list += fmt::format("{}cast({} as text)", list.empty() ? "" : ", ", sql::quote_identifier(names.back()));
  }
  if (names.empty()) return content;
  auto rows = connection.prepare("select " + list + " from " + table);
  while (*(*rows)->step()) {
    Rendered row;
    bool deleted = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if ((*rows)->is_null(static_cast<int>(i))) continue;
      if (names[i] == "_deleted_at") {
        deleted = true;
      } else {
        row[names[i]] = (*rows)->text(static_cast<int>(i));
      }
    }
    (deleted ? content.soft_deleted : content.live).insert(std::move(row));
  }
  return content;
}

}  // namespace sluice::load::test
