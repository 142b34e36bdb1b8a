#include "load/guards.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

namespace sluice::load {
namespace {

// 29 of 100 is not over 29%, though the double 0.29 times 100 is less than 29.
bool over_share(double share, std::int64_t actual, std::int64_t total) {
  const auto whole = static_cast<double>(total);
  return static_cast<double>(actual) > share * whole + 1e-9 * whole;
}

// Whether `actual` of `total` is over the limit; shares of fewer than kShareFrom rows are never.
bool over(const Limit& limit, std::int64_t actual, std::int64_t total) {
  if (!limit.share) return static_cast<double>(actual) > limit.value;
  return total >= kShareFrom && over_share(limit.value, actual, total);
}

// Rejects of a load too small for shares: one of ten is no pattern, but a load of which most was rejected is
// no load, whatever its size.
bool most_rejected(const Limit& limit, std::int64_t rejected, std::int64_t read) {
  return limit.share && read < kShareFrom && over_share(std::max(limit.value, kMostRejected), rejected, read);
}

std::string share_text(std::int64_t actual, std::int64_t total) {
  if (total <= 0) return std::to_string(actual);
  return fmt::format("{} of {} ({:.3g}%)", actual, total,
                     100.0 * static_cast<double>(actual) / static_cast<double>(total));
}

class Bench {
 public:
  Bench(const GuardSpec& guards, Judgement& judgement) : guards_(guards), judgement_(judgement) {}

  void verdict(std::string guard, std::string limit, std::string actual, bool failed, bool only_warns,
               std::string message) {
    const bool warns = only_warns || guards_.on_breach == OnBreach::warn;
    GuardVerdict verdict{.guard = std::move(guard),
                         .limit = std::move(limit),
                         .actual = std::move(actual),
                         .verdict = !failed ? "ok"
                                    : warns ? "warned"
                                            : "breached",
                         .message = failed ? std::move(message) : std::string()};
    if (failed && !warns) {
      judgement_.breached = true;
      if (judgement_.message.empty()) judgement_.message = verdict.message;
    }
    judgement_.verdicts.push_back(std::move(verdict));
  }

 private:
  const GuardSpec& guards_;
  Judgement& judgement_;
};

}  // namespace

Judgement judge(const LoaderSpec& loader, const GuardCounts& counts) {
  Judgement judgement;
  const auto& guards = loader.guards;
  Bench bench(guards, judgement);

  const std::int64_t good = std::accumulate(counts.good.begin(), counts.good.end(), std::int64_t{0});
  const bool full = loader.mode == LoadMode::sync || loader.mode == LoadMode::replace;
  const std::int64_t minimum = guards.minimum_expected_records.value_or(full ? 1 : 0);
  // All records of a full load are expected, and a file without a byte says nothing of those it should hold.
  const bool partly = std::ranges::find(counts.partly_read, true) != counts.partly_read.end();
  const bool hollow = full && minimum > 0 && !counts.empty.empty();
  const auto what = hollow
                        ? fmt::format("{} {} empty; if that is right, say minimumExpectedRecords: 0",
                                      fmt::join(counts.empty, ", "), counts.empty.size() == 1 ? "is" : "are")
                        : fmt::format("the sources gave {} {}, at least {} are expected", good,
                                      good == 1 ? "record" : "records", minimum);
  bench.verdict("minimumExpectedRecords", std::to_string(minimum), std::to_string(good),
                (good < minimum && !partly) || hollow,
                guards.minimum_warns && guards.minimum_expected_records.has_value(),
                "minimumExpectedRecords: " + what);
  for (std::size_t i = 0; i < loader.sources.size() && i < counts.good.size(); ++i) {
    const auto wanted = loader.sources[i].minimum_expected_records;
    if (wanted <= 0) continue;
    if (i < counts.partly_read.size() && counts.partly_read[i]) continue;
    const auto& name = loader.sources[i].name;
    bench.verdict(fmt::format("sources[{}].minimumExpectedRecords", name.empty() ? std::to_string(i) : name),
                  std::to_string(wanted), std::to_string(counts.good[i]), counts.good[i] < wanted,
                  guards.minimum_warns,
                  fmt::format("minimumExpectedRecords: source {} gave {} records, at least {} are expected",
                              name.empty() ? std::to_string(i + 1) : name, counts.good[i], wanted));
  }
  if (guards.max_rejects) {
    const auto& limit = *guards.max_rejects;
    const bool most = most_rejected(limit, counts.rejected, counts.read);
    const auto lifted = most && limit.value < kMostRejected
                            ? fmt::format(" (of fewer than {} records: half)", kShareFrom)
                            : "";
    bench.verdict("maxRejects", to_string(limit), share_text(counts.rejected, counts.read),
                  most || over(limit, counts.rejected, counts.read), false,
                  fmt::format("maxRejects: {} records were rejected, the limit is {}{}",
                              share_text(counts.rejected, counts.read), to_string(limit), lifted));
  }
  // A replaced table loses its old rows by definition; maxShrink is the guard for that.
  if (guards.max_deletes && loader.mode != LoadMode::replace) {
    bench.verdict(
        "maxDeletes", to_string(*guards.max_deletes), share_text(counts.deletes, counts.rows_before),
        over(*guards.max_deletes, counts.deletes, counts.rows_before), false,
        fmt::format("maxDeletes: {} rows would be deleted, the limit is {}",
                    share_text(counts.deletes, counts.rows_before), to_string(*guards.max_deletes)));
  }
  if (guards.max_shrink) {
    const auto lost = std::max<std::int64_t>(0, counts.rows_before - counts.rows_after);
    bench.verdict("maxShrink", to_string(*guards.max_shrink), share_text(lost, counts.rows_before),
                  over(*guards.max_shrink, lost, counts.rows_before), false,
                  fmt::format("maxShrink: the table would shrink by {}, the limit is {}",
                              share_text(lost, counts.rows_before), to_string(*guards.max_shrink)));
  }
  return judgement;
}

}  // namespace sluice::load
