// Who declares which definition, on PostgreSQL.
#include "jobs/postgres/shared_definitions.h"

#include "jobs/postgres/rows.h"

#include <nlohmann/json.hpp>

namespace sluice::jobs {

Result<void> PostgresSharedDefinitions::declare(std::string_view node, std::span<const Declaration> files) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Declaration& file : files)
    rows.push_back({{"path", storable(file.path)}, {"hash", storable(file.hash)}});
  return pool_.write([&](Database& database) -> Result<void> {
    SLUICE_CHECK(database.run("delete from declaration where node = ?", node));
    SLUICE_CHECK(
        database.run("insert into declaration (node, path, hash) select ?1::text, path, hash from "
                     "json_to_recordset(?2::json) as x(path text, hash text) on conflict do nothing",
                     node, rows.dump()));
    // A node declares before it joins, so one that is not there yet may be about to come.
    SLUICE_CHECK(
        database.run("delete from declaration d where declared_at < now() - interval '1 hour' and not exists "
                     "(select 1 from node where id = d.node)"));
    return {};
  });
}

Result<std::vector<ForeignDeclaration>> PostgresSharedDefinitions::declared_elsewhere(std::string_view node) {
  return pool_.once([&](Database& database) -> Result<std::vector<ForeignDeclaration>> {
    std::vector<ForeignDeclaration> found;
    SLUICE_CHECK(database.each(
        "select d.path, d.hash, n.name from declaration d join node n on n.id = d.node where d.node <> ? and "
        "n.expires_at > now() order by d.path collate \"C\", n.id",
        [&](const Row& row) -> Result<void> {
          found.push_back({row.text(0), row.text(1), row.text(2)});
          return {};
        },
        node));
    return found;
  });
}

Result<std::string> PostgresSharedDefinitions::state(std::string_view node) {
  return pool_.once([&](Database& database) -> Result<std::string> {
    std::string state;
    SLUICE_CHECK(database.each(
        "select md5(coalesce((select string_agg(path || ' ' || hash, ',' order by path, hash) from "
        "definition), '') || ';' || coalesce((select string_agg(d.node || ' ' || d.path || ' ' || d.hash, "
        "',' "
        "order by d.node, d.path) from declaration d join node n on n.id = d.node where d.node <> ? and "
        "n.expires_at > now()), ''))",
        [&](const Row& row) -> Result<void> {
          state = row.text(0);
          return {};
        },
        node));
    return state;
  });
}

}  // namespace sluice::jobs
