// `after`: what runs when others have run. Before the end of a run is written, the jobs that follow it are
// enqueued as its continuations; the store lets them go in the transaction that ends it. So none is lost,
// whenever a process dies, and none is doubled when the run is tried again (docs/decisions/0069).
#pragma once

#include "jobs/engine.h"
#include "jobs/filter.h"
#include "service/catalog_keeper.h"

#include <optional>
#include <string>
#include <string_view>

namespace sluice::service {

// The kind of the small jobs that look whether all of several have run by now.
inline constexpr std::string_view kAfterKind = "after";

class Followers final : public jobs::Filter {
 public:
  // All outlive the engine.
  Followers(const CatalogKeeper& keeper, jobs::Engine& engine) : keeper_(keeper), engine_(engine) {}

  Result<jobs::JobOutcome> perform(jobs::JobContext& context, std::stop_token stop,
                                   const Next& next) override;

  // The handler of kAfterKind.
  Result<jobs::JobOutcome> look(jobs::JobContext& context);

 private:
  Result<void> enqueue(jobs::JobContext& context, definition::After::On on);
  // The job that `name` runs as; nothing when it is not to run: it is paused, disabled, or not taken up yet.
  Result<std::optional<jobs::NewJob>> run_of(const definition::Catalog& catalog, std::string_view name,
                                             jobs::JobContext& context);
  // When a run of it last came to an end that counts.
  Result<std::optional<Timestamp>> last_end(const definition::Catalog& catalog, const std::string& name,
                                            definition::After::On on);
  // When its own newest run was created.
  Result<std::optional<Timestamp>> last_begin(const definition::Runnable& follower);

  const CatalogKeeper& keeper_;
  jobs::Engine& engine_;
};

}  // namespace sluice::service
