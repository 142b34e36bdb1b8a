#include "jobs/store/queue_turns.h"

#include <algorithm>

namespace sluice::jobs {

// Each round every queue earns its weight, and the richest pays the sum of all for its turn: the rule by
// which web servers spread requests. Over any `sum of weights` rounds each queue gets exactly its weight.
std::vector<QueueTurns::Turn> QueueTurns::next(std::span<const QueueShare> waiting, int slots) {
  std::vector<Turn> turns;
  if (waiting.empty()) return turns;
  std::map<std::string, std::int64_t> credit;
  std::int64_t sum = 0;
  for (const QueueShare& share : waiting) {
    const auto saved = credit_.find(share.name);
    credit[share.name] = saved == credit_.end() ? 0 : saved->second;
    sum += share.weight;
  }
  for (int slot = 0; slot < slots; ++slot) {
    const QueueShare* next = nullptr;
    for (const QueueShare& share : waiting) {
      credit[share.name] += share.weight;
      if (next == nullptr || credit[share.name] > credit[next->name]) next = &share;
    }
    credit[next->name] -= sum;
    const auto had = std::ranges::find(turns, next->name, &Turn::queue);
    if (had == turns.end()) {
      turns.push_back({next->name, 1});
    } else {
      ++had->jobs;
    }
  }
  credit_ = std::move(credit);
  return turns;
}

}  // namespace sluice::jobs
