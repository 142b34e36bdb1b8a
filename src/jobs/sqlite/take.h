// From `ready` to `lease`, on SQLite.
#pragma once

#include "jobs/sqlite/rows.h"
#include "jobs/store.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::jobs {

// Where claim_query() has what a choice looks at: as job_columns() lists them.
namespace claim_columns {
inline constexpr int kKind = 1, kRunAt = 9, kStartedAt = 10, kPinned = 17, kKey = 18, kLimit = 33,
                     kLatency = 35;
}

// What waits, best first, in the order of an index of `ready`, narrowed by `where` ("and …").
std::string claim_query(std::string_view index, std::string_view where);
// A row of it: the job as it waits, with the lease it would have.
Result<Claimed> read_claimed(const Row& row);

// As many of the first jobs as a claim wants, read without the writer; none when there are fewer, or when one
// of them is not for just anybody now: of another kind, with a key or a limit, or bound to a node or a time.
Result<std::optional<std::vector<Claimed>>> peek(Database& database, const ClaimRequest& request);
// Whether they are still what is next, unchanged. Within the transaction that takes them.
Result<bool> is_next(Database& database, std::span<const Claimed> seen);

// Makes them the node's; `first_ones`: they are the first of `ready_claim`, none left out.
Result<void> take(Database& database, Account& account, std::vector<Claimed>& chosen, bool first_ones,
                  std::string_view node);

}  // namespace sluice::jobs
