#include "history/reject_writer.h"

#include "history/retention.h"
#include "history/tables.h"

#include <xxhash.h>

#include <algorithm>
#include <array>

namespace sluice::history {
namespace {

constexpr std::size_t kRawBytes = 64 * 1024;

// What makes two bad records the same one. The place of a record does not, unless nothing else is known.
std::array<char, 16> identity(const Reject& reject, std::string_view source) {
  std::string text;
  for (const std::string_view part :
       {source, std::string_view(reject.code), std::string_view(reject.column)}) {
    text += part;
    text += '\0';
  }
  text += reject.raw.empty() ? reject.locator : reject.raw;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data(), text.size()));
  std::array<char, 16> bytes;
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), bytes.begin());
  return bytes;
}

}  // namespace

Result<void> RejectWriter::add(const Reject& reject, std::string_view source) {
  if (written_ >= spec_.sample) {
    capped_ = true;
    return {};
  }
  if (upsert_ == nullptr) {
    SLUICE_TRY(
        upsert_,
        connection_.prepare(
            "insert into _sluice_reject (loader, source, hash, stage, code, column_name, message, locator, "
            "raw, "
            "first_job, last_job, first_seen, last_seen, seen, status) "
            "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?11, 1, 'open') "
            "on conflict (loader, hash) do update set stage = excluded.stage, message = excluded.message, "
            "locator = excluded.locator, raw = excluded.raw, last_seen = excluded.last_seen, "
            "seen = seen + (last_job <> excluded.last_job), last_job = excluded.last_job, status = 'open' "
            "returning id"));
    // The write lock is held: the record of this run, which follows, gets the next number.
    SLUICE_TRY(const std::int64_t last, last_record(connection_));
    record_ = last + 1;
    SLUICE_TRY(previous_, last_record(connection_, loader_));
  }
  const auto hash = identity(reject, source);
  upsert_->bind_text(1, loader_);
  upsert_->bind_text(2, source);
  upsert_->bind_blob(3, {hash.data(), hash.size()});
  upsert_->bind_text(4, to_string(reject.stage));
  upsert_->bind_text(5, reject.code);
  upsert_->bind_text(6, reject.column);
  upsert_->bind_text(7, reject.message);
  upsert_->bind_text(8, reject.locator);
  upsert_->bind_text(9, spec_.raw ? std::string_view(reject.raw).substr(0, kRawBytes) : std::string_view());
  upsert_->bind_int64(10, job_.value());
  upsert_->bind_int64(11, micros(now_));
  SLUICE_TRY(const bool row, upsert_->step());
  const std::int64_t id = row ? upsert_->int64(0) : 0;
  upsert_->reset();
  SLUICE_CHECK(note_seen(id));
  ++written_;
  return {};
}

// Makes the entry's last span longer, when the loader's last run saw it too; else begins another.
Result<void> RejectWriter::note_seen(std::int64_t reject) {
  if (extend_ == nullptr) {
    SLUICE_TRY(extend_, connection_.prepare("update _sluice_reject_span set last_run = ?1 "
                                            "where reject = ?2 and last_run in (?1, ?3)"));
    SLUICE_TRY(begin_, connection_.prepare("insert into _sluice_reject_span values (?2, ?1, ?1, ?3)"));
  }
  for (auto* const statement : {extend_.get(), begin_.get()}) {
    statement->bind_int64(1, record_);
    statement->bind_int64(2, reject);
  }
  extend_->bind_int64(3, previous_);
  begin_->bind_text(3, loader_);
  SLUICE_CHECK(extend_->run());
  return connection_.changes() > 0 ? Result<void>() : begin_->run();
}

Result<void> RejectWriter::finish(bool all_seen) {
  if (all_seen && !capped_) {
    SLUICE_TRY(auto fix,
               connection_.prepare("update _sluice_reject set status = 'fixed' where loader = ? and "
                                   "status = 'open' and last_job <> ?"));
    fix->bind_text(1, loader_);
    fix->bind_int64(2, job_.value());
    SLUICE_CHECK(fix->run());
  }
  return trim_rejects(connection_, loader_,
                      now_ - std::chrono::duration_cast<std::chrono::microseconds>(spec_.keep));
}

}  // namespace sluice::history
