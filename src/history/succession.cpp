#include "history/succession.h"

#include <string>

namespace sluice::history {
namespace {

Result<void> move(sql::Connection& connection, std::string_view sql, const Succession& succession) {
  SLUICE_TRY(auto statement, connection.prepare(sql));
  statement->bind_text(1, succession.from);
  statement->bind_text(2, succession.to);
  if (sql.find("?3") != std::string_view::npos) statement->bind_text(3, succession.table);
  return statement->run();
}

}  // namespace

Result<void> succeed(sql::Connection& connection, const Succession& succession) {
  // An earlier program did not note the table: what it left is of the one table that the loader had.
  SLUICE_CHECK(move(connection,
                    succession.gone
                        ? "update or replace _sluice_source set loader = ?2 where loader = ?1 and "
                          "(table_name = ?3 collate nocase or table_name = '')"
                        : "update or replace _sluice_source set loader = ?2 where loader = ?1 and "
                          "table_name = ?3 collate nocase",
                    succession));
  if (!succession.gone) return {};
  // A record that both have met: the new owner's entry stands, and the other one is found again as fixed.
  SLUICE_CHECK(
      move(connection, "update or ignore _sluice_reject set loader = ?2 where loader = ?1", succession));
  return move(connection,
              "update _sluice_reject set status = 'fixed' where loader = ?1 and status = 'open' and ?2 <> ''",
              succession);
}

Result<void> rename_table(sql::Connection& connection, std::string_view loader, std::string_view from,
                          std::string_view to) {
  SLUICE_TRY(auto update,
             connection.prepare("update _sluice_source set table_name = ?3 where loader = ?1 and "
                                "table_name = ?2 collate nocase"));
  update->bind_text(1, loader);
  update->bind_text(2, from);
  update->bind_text(3, to);
  return update->run();
}

}  // namespace sluice::history
