#include "load/keep.h"

#include "history/record.h"
#include "history/reject_writer.h"
#include "sql/transaction.h"

namespace sluice::load {

Result<void> write_rejects(sql::Connection& connection, JobId key, const LoaderSpec& loader,
                           const PassResult& pass, Timestamp now, bool applied) {
  history::RejectWriter rejects(connection, key, loader.name, loader.rejects, now);
  for (const auto& reject : pass.rejects) {
    SLUICE_CHECK(rejects.add(reject, source_label(loader.sources.at(reject.source))));
  }
  return rejects.finish(applied && static_cast<std::int64_t>(pass.rejects.size()) == pass.rejected);
}

Result<void> keep_failed(sql::Connection& connection, JobId key, const LoaderSpec& loader,
                         const PassResult& pass, const Receipt& receipt, Timestamp now) {
  SLUICE_TRY(auto transaction, sql::Transaction::begin(connection));
  SLUICE_CHECK(write_rejects(connection, key, loader, pass, receipt.started_at, false));
  SLUICE_CHECK(history::insert_run(connection, receipt, key, now));
  return transaction.commit();
}

}  // namespace sluice::load
