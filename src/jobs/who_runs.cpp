#include "jobs/who_runs.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace sluice::jobs {
namespace {

std::string_view without_version(std::string_view kind) { return kind.substr(0, kind.find('@')); }

}  // namespace

std::string nobody_runs(const Job& job, std::span<const Node> nodes) {
  if (job.state != JobState::enqueued && job.state != JobState::scheduled) return {};
  if (!job.pinned_node.empty()) return {};  // its node has a handler, or it would not have asked
  std::set<std::string> known;
  for (const Node& node : nodes) {
    if (node.expired) continue;
    if (!node.kinds || std::ranges::find(*node.kinds, job.kind) != node.kinds->end()) return {};
    known.insert(node.kinds->begin(), node.kinds->end());
  }
  std::string text =
      fmt::format("no live node has a handler for jobs of kind \"{}\"", printable(job.kind, 100));
  const bool other_version = std::ranges::any_of(
      known, [&](const std::string& kind) { return without_version(kind) == without_version(job.kind); });
  if (nodes.empty()) {
    text += ": no node is up";
  } else if (other_version) {
    text += ": they know other versions of it; start the newer program";
  } else if (known.empty()) {
    text += ": they run no jobs of others";
  } else {
    text += fmt::format("; they have {}", printable(fmt::format("{}", fmt::join(known, ", ")), 300));
  }
  return text + "; it waits until one has";
}

}  // namespace sluice::jobs
