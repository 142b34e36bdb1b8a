#include "jobs/postgres/store.h"

#include "jobs/postgres/parts.h"
#include "jobs/postgres/shared_definitions.h"

namespace sluice::jobs {
namespace {

class PostgresStore final : public Store, public SharedDefinitions {
 public:
  PostgresStore(std::unique_ptr<PostgresPool> pool, std::string identity, bool low_water_mark)
      : pool_(std::move(pool)), identity_(std::move(identity)), jobs_(*pool_, low_water_mark) {}
  const std::string& identity() const override { return identity_; }
  JobStore& jobs() override { return jobs_; }
  RecurringStore& recurring() override { return recurring_; }
  NodeStore& nodes() override { return nodes_; }
  DefinitionStore& definitions() override { return definitions_; }
  JobQueries& queries() override { return queries_; }
  Upkeep& upkeep() override { return upkeep_; }
  FlowStore& flow() override { return flow_; }
  QueueStore& queues() override { return queues_; }

  Result<void> declare(std::string_view node, std::span<const Declaration> files) override {
    return shared_.declare(node, files);
  }
  Result<std::vector<ForeignDeclaration>> declared_elsewhere(std::string_view node) override {
    return shared_.declared_elsewhere(node);
  }
  Result<std::string> state(std::string_view node) override { return shared_.state(node); }

 private:
  const std::unique_ptr<PostgresPool> pool_;
  const std::string identity_;
  PostgresJobStore jobs_;
  PostgresRecurringStore recurring_{*pool_};
  PostgresNodeStore nodes_{*pool_};
  PostgresDefinitionStore definitions_{*pool_};
  PostgresJobQueries queries_{*pool_};
  PostgresUpkeep upkeep_{*pool_};
  PostgresFlowStore flow_{*pool_, jobs_};
  PostgresQueueStore queues_{*pool_};
  PostgresSharedDefinitions shared_{*pool_};
};

}  // namespace

Result<std::unique_ptr<Store>> open_postgres_store(const Secret& url, const PostgresStoreOptions& options) {
  auto pool = PostgresPool::open(url, options.schema);
  if (!pool) return fail_within("job store", std::move(pool).error());
  std::string identity;
  SLUICE_CHECK((*pool)->once([&](Database& database) {
    return database.each("select identity from store", [&](const Row& row) -> Result<void> {
      identity = row.text(0);
      return {};
    });
  }));
  return std::make_unique<PostgresStore>(*std::move(pool), std::move(identity), options.low_water_mark);
}

}  // namespace sluice::jobs
