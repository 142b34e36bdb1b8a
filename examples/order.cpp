// A job in the caller's own transaction: an order and the mail about it are stored together or not at all,
// whenever the process dies.
//   order FOLDER CUSTOMER QUANTITY     orders and jobs are both in FOLDER/shop.db
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sluice/jobs/sqlite/store.h>
#include <sluice/jobs/typed.h>
#include <sluice/sql/sqlite.h>
#include <sluice/sql/transaction.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace jobs = sluice::jobs;
namespace sql = sluice::sql;

struct Confirm {
  std::string customer;
  int quantity = 0;
  static constexpr std::string_view job_kind = "confirm-order";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Confirm, customer, quantity)

// A program with a connection of its own wraps it: sql::borrow_sqlite(sqlite3*),
// sql::borrow_postgres(PGconn*).
sluice::Result<sluice::JobId> place(sql::Connection& shop, jobs::Engine& engine, const Confirm& order) {
  SLUICE_TRY(auto transaction, sql::Transaction::begin(shop));
  SLUICE_TRY(const auto id, engine.enqueue_in(shop, order));
  SLUICE_TRY(auto insert, shop.prepare("insert into orders (customer, quantity) values (?, ?)"));
  insert->bind_text(1, order.customer);
  insert->bind_int64(2, order.quantity);
  SLUICE_CHECK(insert->run());  // the table refuses orders of nothing: then there is no job either
  SLUICE_CHECK(transaction.commit());
  engine.wake();
  return id;
}

sluice::Result<void> run(const std::filesystem::path& folder, const Confirm& order) {
  SLUICE_TRY(const auto store, jobs::open_sqlite_store(folder, "shop.db"));
  SLUICE_TRY(const auto shop, sql::open_sqlite(folder / "shop.db"));
  SLUICE_CHECK(
      shop->execute("create table if not exists orders (customer text not null, quantity integer not null "
                    "check (quantity > 0))"));
  sluice::SystemClock clock;
  jobs::Engine engine(*store, clock);
  engine.on<Confirm>([](const Confirm& confirm) -> sluice::Result<void> {
    fmt::print("dear {}, your {} pieces are on their way\n", confirm.customer, confirm.quantity);
    return {};
  });
  SLUICE_CHECK(engine.start());
  const auto placed = place(*shop, engine, order);
  if (placed) SLUICE_CHECK(engine.wait(*placed));
  SLUICE_TRY(const auto kept, store->queries().list({.limit = 1000}));
  fmt::print("{} jobs\n", kept.size());
  if (!placed) return std::unexpected(placed.error());
  return {};
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: order FOLDER CUSTOMER QUANTITY\n");
    return 2;
  }
  if (const auto done = run(argv[1], {.customer = argv[2], .quantity = std::atoi(argv[3])}); !done) {
    fmt::print(stderr, "{}\n", done.error().describe());
    return 1;
  }
}
