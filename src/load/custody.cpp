#include "load/custody.h"

#include "base/text.h"
#include "history/source_state.h"
#include "history/succession.h"
#include "sql/transaction.h"
#include "upsert/stored_fingerprints.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::load {
namespace {

using Kind = OwnerClaim::Kind;

std::string file_of(const LoaderSpec& loader) {
  return loader.place.file.empty() ? std::string() : fmt::format(" ({})", loader.place.file);
}

// What the owner's claim means for this run; an error when the table is not given away.
Result<void> judge_claim(const Request& request, std::string_view owner, bool exists, Custody& custody) {
  const auto& loader = request.loader;
  const auto& table = loader.target.table;
  const OwnerClaim claim = request.owner ? request.owner(owner) : OwnerClaim{};
  custody.owner_gone = claim.kind == Kind::gone;
  switch (claim.kind) {
    case Kind::gone:
      custody.notes.push_back(
          fmt::format("took table {} over from loader {}, which is not defined any more", table, owner));
      return {};
    case Kind::loads_other:
      custody.notes.push_back(
          fmt::format("took table {} over from loader {}, which loads {} now", table, owner, claim.table));
      return {};
    case Kind::loads_it:
      return fail(
          ErrorCode::already_exists,
          fmt::format("table {} belongs to loader {} ({}), and loader {}{} wants it too: a table has one "
                      "loader, so name another target.table in one of the two files, or remove one",
                      table, owner, claim.file, loader.name, file_of(loader)));
    case Kind::doubtful:
      return fail(
          ErrorCode::already_exists,
          fmt::format("table {} belongs to loader {}, which {} may define: correct that file first, or "
                      "remove it; or give loader {}{} another target.table",
                      table, owner, claim.file, loader.name, file_of(loader)));
    case Kind::superseded:
      return fail(
          ErrorCode::already_exists,
          fmt::format("table {} belongs to loader {} by now: the definition of loader {} has changed since "
                      "this run was started",
                      table, owner, loader.name));
    case Kind::unknown:
      break;
  }
  if (exists) {
    return fail(ErrorCode::already_exists,
                fmt::format("table {} belongs to loader {}: give loader {} another table", table, owner,
                            loader.name));
  }
  custody.owner_gone = true;
  custody.notes.push_back(
      fmt::format("took the name of table {} over from loader {}: the table is gone", table, owner));
  return {};
}

std::vector<std::string> key_names(const Schema& schema) {
  std::vector<std::string> names;
  names.reserve(schema.key.size());
  for (const std::size_t index : schema.key) names.push_back(to_lower(schema.columns[index].name));
  std::ranges::sort(names);
  return names;
}

// A table taken over with another key: what is known of its columns holds, the rows are read and keyed anew.
void take_key(const LoaderSpec& loader, Target& target) {
  auto& found = target.found;
  std::vector<std::string> wanted;
  wanted.reserve(loader.target.key.size());
  for (const auto& name : loader.target.key) wanted.push_back(to_lower(name));
  std::ranges::sort(wanted);
  if (!found.exists || key_names(*found.state->schema) == wanted) return;
  auto schema = std::make_shared<Schema>(*found.state->schema);
  const auto before = fmt::format("{}", fmt::join(key_names(*schema), ", "));
  schema->key.clear();
  for (const auto& name : loader.target.key) {
    const auto at =
        std::ranges::find_if(schema->columns, [&](const Column& c) { return iequals(c.name, name); });
    // The column is to come: the plan of the table says what that means.
    if (at == schema->columns.end()) return;
    schema->key.push_back(static_cast<std::size_t>(at - schema->columns.begin()));
  }
  found.state->schema = std::move(schema);
  target.custody.rekeyed = true;
  if (found.mismatch.empty() && !loader.target.key.empty()) {
    found.mismatch = fmt::format("table {} was loaded with the key ({}) and gets the key ({})",
                                 loader.target.table, before, fmt::join(loader.target.key, ", "));
  }
}

// The table that was found is the one that this state is of: nothing differs but the name. Anything less is
// no proof, and a table of somebody else's would be taken for the loader's own.
bool is_table_of(const upsert::TableState& state, const upsert::Inspection& found) {
  return state.rows == found.known_rows() &&
         std::ranges::all_of(state.schema->columns,
                             [&](const Column& column) { return found.find(column.name) != nullptr; });
}

// The loader had other tables before this one.
Result<void> judge_moved(sql::Connection& connection, const Request& request, Target& target) {
  auto& custody = target.custody;
  const auto& table = request.loader.target.table;
  SLUICE_TRY(const auto others, upsert::tables_of(connection, request.loader.name));
  std::vector<const upsert::TableState*> gone;
  for (const auto& other : others) {
    if (iequals(other.state.table, table)) continue;
    if (!other.exists) {
      gone.push_back(&other.state);
      continue;
    }
    custody.notes.push_back(fmt::format(
        "loader {} loaded table {} until now: its {} rows stay as they are, and nobody keeps them in "
        "step any more; drop the table when it is not needed",
        request.loader.name, other.state.table, group_digits(other.state.rows)));
  }
  if (target.custody.adopts && gone.size() == 1 && is_table_of(*gone.front(), target.found)) {
    custody.renamed_from = gone.front()->table;
    custody.adopts = false;
    custody.notes.push_back(
        fmt::format("table {} is called {} now: what is known of it holds", gone.front()->table, table));
  } else {
    for (const auto* state : gone) custody.lost.push_back(state->table);
  }
  return {};
}

// Says in the definition that rows may go which no source has ever had.
bool states_deletes(const GuardSpec& guards) {
  return !guards.max_deletes || !guards.max_deletes->share || guards.max_deletes->value >= 1;
}

bool removes(const LoaderSpec& loader) {
  return loader.mode == LoadMode::sync && loader.vanished != Vanished::keep;
}

std::int64_t foreign_before(const upsert::Inspection& found) {
  return found.state ? found.state->foreign_rows : 0;
}

}  // namespace

bool Custody::spares_vanished(const LoaderSpec& loader, const upsert::Inspection& found) const {
  if (!removes(loader)) return false;
  if (!taken_from.empty()) return true;
  return (adopts || foreign_before(found) > 0) && !states_deletes(loader.guards);
}

Result<Target> look_at_target(sql::Connection& connection, const Request& request) {
  const auto& loader = request.loader;
  Target target;
  SLUICE_TRY(target.found, upsert::inspect(connection, loader.target.table, loader.name, true,
                                           [&](std::string_view owner, bool exists) {
                                             return judge_claim(request, owner, exists, target.custody);
                                           }));
  target.custody.taken_from = target.found.taken_from;
  target.custody.adopts = !target.found.state && target.found.exists && !target.found.empty;
  if (!target.custody.taken_from.empty()) take_key(loader, target);
  if (!target.found.state || !target.custody.taken_from.empty())
    SLUICE_CHECK(judge_moved(connection, request, target));
  return target;
}

Result<bool> follow_rename(sql::Connection& connection, const Request& request, const Custody& custody) {
  if (custody.renamed_from.empty()) return false;
  const auto& table = request.loader.target.table;
  SLUICE_TRY(auto transaction, sql::Transaction::begin(connection));
  SLUICE_CHECK(upsert::rename_state(connection, custody.renamed_from, table));
  SLUICE_CHECK(history::rename_table(connection, request.loader.name, custody.renamed_from, table));
  SLUICE_CHECK(transaction.commit());
  return true;
}

Result<void> settle_custody(sql::Connection& connection, const Request& request, const Custody& custody) {
  for (const auto& table : custody.lost) SLUICE_CHECK(upsert::forget_state(connection, table));
  if (custody.taken_from.empty()) return {};
  // Without a key there are no fingerprints, and what is kept of the old key's would only grow stale.
  if (custody.rekeyed && request.loader.target.key.empty()) {
    upsert::FingerprintWriter fingerprints(connection, request.loader.target.table);
    SLUICE_CHECK(fingerprints.clear());
  }
  return history::succeed(connection, {.from = custody.taken_from,
                                       .to = request.loader.name,
                                       .table = request.loader.target.table,
                                       .gone = custody.owner_gone});
}

Strangers judge_strangers(const Custody& custody, const LoaderSpec& loader, const upsert::Inspection& found,
                          const Compared& compared) {
  Strangers result;
  const bool takes = !custody.taken_from.empty();
  const std::int64_t before = foreign_before(found);
  const std::int64_t unmatched =
      compared.vanished.value_or(std::max<std::int64_t>(0, compared.rows_before - compared.matched));
  const std::int64_t left = std::max<std::int64_t>(0, unmatched - compared.removed);
  // Most of a table that was taken over is in none of the new sources: not a new name, but another load.
  const bool another = takes && 2 * unmatched > compared.rows_before;
  result.rows = custody.adopts || another ? left : std::min(before, left);
  if (unmatched == 0) return result;
  const auto& table = loader.target.table;
  const bool spared = custody.spares_vanished(loader, found);
  if (spared && takes && !another && before == 0) {
    result.compare_again = true;
    result.note = fmt::format(
        "{} rows of table {} are not in the sources: this run, which takes the table over, "
        "leaves them; the next one does with them what load.vanished says",
        group_digits(unmatched), table);
  } else if (spared) {
    result.note = fmt::format(
        "{} rows of table {} are not in the sources, and {} of them no run of this loader "
        "brought: nothing that vanished is removed while they are there; delete them by hand, "
        "or say guards: {{maxDeletes: {}}} to let them go",
        group_digits(unmatched), table, result.rows == unmatched ? "all" : group_digits(result.rows),
        unmatched);
  } else if (custody.adopts && compared.removed == 0) {
    result.note = fmt::format(
        "table {} was there before this loader, with {} rows that its sources do not have: "
        "they stay",
        table, group_digits(unmatched));
  }
  return result;
}

}  // namespace sluice::load
