#include "service/table_owners.h"

#include "base/text.h"
#include "sql/database_url.h"

#include <algorithm>
#include <filesystem>

namespace sluice::service {
namespace {

using Kind = load::OwnerClaim::Kind;

// One file may be spelled in several ways. Empty: it cannot be told which database is meant.
std::string canonical_database(const Databases& databases, const LoaderSpec& loader,
                               const ServiceSpec& service) {
  const auto url = databases.url_for(loader, service);
  if (!url) return {};
  const auto parsed = sql::parse_database_url(*url);
  if (!parsed || parsed->dialect != sql::Dialect::sqlite) return *url;
  std::error_code failed;
  const auto path =
      std::filesystem::weakly_canonical(std::filesystem::absolute(parsed->path, failed), failed);
  return failed ? *url : path.string();
}

// Where it cannot be told whether two databases are one, they are taken for one: nothing is taken over then.
bool same_target(const Definitions& definitions, const Databases& databases, const LoaderSpec& a,
                 const LoaderSpec& b) {
  if (!iequals(a.target.table, b.target.table)) return false;
  const auto& service = definitions.catalog->service;
  const auto first = canonical_database(databases, a, service);
  const auto second = canonical_database(databases, b, service);
  return first.empty() || second.empty() || first == second;
}

}  // namespace

load::OwnerClaim claim_of(const Definitions& definitions, const Databases& databases,
                          const LoaderSpec& asking, std::string_view owner) {
  const auto* const now = definitions.catalog->find(asking.name);
  if (now == nullptr || !same_target(definitions, databases, now->spec, asking)) {
    return {.kind = Kind::superseded, .file = {}, .table = {}};
  }
  if (const auto* const other = definitions.catalog->find(owner)) {
    if (same_target(definitions, databases, other->spec, asking))
      return {.kind = Kind::loads_it, .file = other->file, .table = {}};
    const auto& table = other->spec.target.table;
    return {.kind = Kind::loads_other,
            .file = other->file,
            .table = iequals(table, asking.target.table) ? table + " of another database" : table};
  }
  const auto broken = std::ranges::find_if(definitions.files, [&](const FileState& file) {
    const auto& report = file.report;
    return report.kind == definition::FileKind::loader && !report.valid &&
           (report.name.empty() || report.name == owner);
  });
  if (broken != definitions.files.end())
    return {.kind = Kind::doubtful, .file = broken->report.file, .table = {}};
  return {.kind = Kind::gone, .file = {}, .table = {}};
}

}  // namespace sluice::service
