#include "jobs/postgres/database.h"

#include "jobs/postgres/schema.h"
#include "sql/identifier.h"
#include "sql/migration.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::jobs {
namespace {

using std::chrono::milliseconds;
constexpr int kMostConnections = 8;
// Well before its leases are over (30 s), a node knows that it hears nothing from its store.
constexpr milliseconds kAnswerTimeout{15'000};
// Callers may leave a transaction open that holds a job or a key of ours. Longer than the server takes to
// find out that two wait for each other (deadlock_timeout, 1 s), which it tells us better.
constexpr milliseconds kLockTimeout{1'500};
// Whoever stops does not wait for a server that is deaf.
constexpr milliseconds kStopTimeout{1'000};
// Another node that brings the schema up to date may rewrite millions of rows.
constexpr milliseconds kForEver{0};
// Nobody is kept waiting for a hint that was lost: there is "news" this often at least.
constexpr std::chrono::seconds kLookAnyway{5};
// The first number of our advisory locks; the second one is the schema's.
constexpr int kLockFamily = 7'230;

// Every statement of the store has an index made for it. The planner, who knows nothing of how many rows are
// wanted and has old statistics of tables that fill and empty within seconds, is not to prefer another way;
// this is what "indexed by" is on SQLite.
constexpr std::string_view kPlanning =
    "set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin "
    "= off; set jit = off; "
    "set plan_cache_mode = force_generic_plan";

}  // namespace

int PostgresPool::lock_family(int kind) { return kLockFamily + kind; }

std::string PostgresPool::lock_name(int kind) const {
  return fmt::format("{}, {}", lock_family(kind), lock_number_);
}

Result<std::unique_ptr<sql::PostgresConnection>> PostgresPool::connect(milliseconds answer_timeout,
                                                                       milliseconds lock_timeout) const {
  return sql::open_postgres(url_, {.application = "sluice jobs",
                                   .schema = schema_,
                                   .answer_timeout = answer_timeout,
                                   .stop_timeout = kStopTimeout,
                                   .lock_timeout = lock_timeout});
}

Result<std::unique_ptr<PostgresPool>> PostgresPool::open(const Secret& url, std::string schema) {
  std::unique_ptr<PostgresPool> pool(new PostgresPool(url, std::move(schema)));
  SLUICE_CHECK(pool->prepare());
  return pool;
}

Result<void> PostgresPool::prepare() {
  SLUICE_TRY(const auto connection, connect(kForEver, kForEver));
  {
    // One after the other: two that create a schema at once would trip over each other.
    SLUICE_TRY(auto transaction, sql::Transaction::begin(*connection));
    SLUICE_CHECK(connection->execute(fmt::format("select pg_advisory_xact_lock({})", kLockFamily)));
    SLUICE_TRY(auto there, connection->prepare("select to_regnamespace(?) is not null"));
    const std::string quoted = sql::quote_identifier(schema_);
    there->bind_text(1, quoted);
    SLUICE_TRY(const bool row, there->step());
    if (!row || there->int64(0) == 0) SLUICE_CHECK(connection->execute("create schema " + quoted));
    SLUICE_CHECK(sql::migrate(*connection, "jobs", postgres_schema_versions()));
    SLUICE_CHECK(transaction.commit());
  }
  SLUICE_TRY(auto number,
             connection->prepare("select hashtext(?), coalesce(pg_sequence_last_value('change'), 0)"));
  number->bind_text(1, schema_);
  SLUICE_TRY(const bool row, number->step());
  if (!row) return fail(ErrorCode::internal, "no answer");
  lock_number_ = static_cast<int>(number->int64(0));
  seen_change_ = number->int64(1);
  touching_ = fmt::format("(select nextval('change') from pg_advisory_xact_lock_shared({}))", lock_name(1));
  return {};
}

Result<PostgresPool::Slot> PostgresPool::take(bool fresh) {
  {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [this] { return out_ < kMostConnections; });
    ++out_;
    while (!idle_.empty()) {
      Slot slot = std::move(idle_.back());
      idle_.pop_back();
      if (!fresh && slot.connection->alive()) return slot;
    }
  }
  auto made = connect(kAnswerTimeout, kLockTimeout);
  if (made) {
    if (auto set = (*made)->execute(kPlanning); !set) made = std::unexpected(std::move(set).error());
  }
  if (!made) {
    give({}, false);
    return std::unexpected(std::move(made).error());
  }
  sql::PostgresConnection* const connection = made->get();
  return Slot{std::make_unique<Database>(*std::move(made)), connection};
}

void PostgresPool::give(Slot slot, bool good) {
  {
    std::lock_guard lock(mutex_);
    --out_;
    if (good && slot.database && !slot.connection->in_transaction() && slot.connection->alive())
      idle_.push_back(std::move(slot));
  }
  free_.notify_one();
}

Result<void> PostgresPool::touch(Database& database) {
  return database.each("select " + touching_, [&](const Row& row) -> Result<void> {
    std::lock_guard lock(mutex_);
    own_changes_.insert(row.integer(0));
    return {};
  });
}

void PostgresPool::touched(std::int64_t number) {
  {
    std::lock_guard lock(mutex_);
    own_changes_.insert(number);
  }
  told();
}

void PostgresPool::on_change(std::function<void()> tell) {
  std::lock_guard lock(mutex_);
  tell_ = std::move(tell);
}

void PostgresPool::told() {
  std::function<void()> tell;
  {
    std::lock_guard lock(mutex_);
    tell = tell_;
  }
  if (tell) tell();
}

Result<bool> PostgresPool::changed_elsewhere() {
  // Whoever writes takes a number and holds a shared lock until the commit is done. With the lock for
  // ourselves, all numbers given out are of transactions that can be seen; the number is read after that.
  const std::string query = fmt::format(
      "select alone, coalesce(pg_sequence_last_value('change'), 0) from (select "
      "pg_try_advisory_xact_lock({}) as alone offset 0) as writers",
      lock_name(1));
  bool alone = false;
  std::int64_t last = 0;
  SLUICE_CHECK(once([&](Database& database) -> Result<void> {
    return database.each(query, [&](const Row& row) -> Result<void> {
      alone = row.integer(0) != 0;
      last = row.integer(1);
      return {};
    });
  }));
  const auto now = std::chrono::steady_clock::now();  // real time: it is others who are waited for
  std::lock_guard lock(mutex_);
  const auto own = std::distance(own_changes_.upper_bound(seen_change_), own_changes_.upper_bound(last));
  const bool numbers = last - seen_change_ != own;
  const bool yes = numbers || !alone || unsettled_ || now - last_yes_ >= kLookAnyway;
  own_changes_.erase(own_changes_.begin(), own_changes_.upper_bound(last));
  seen_change_ = last;
  unsettled_ = !alone;
  if (yes) last_yes_ = now;
  return yes;
}

std::string array_text(const std::vector<std::string>& texts) {
  std::string array = "{";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char c : storable(text)) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return array + '}';
}

}  // namespace sluice::jobs
