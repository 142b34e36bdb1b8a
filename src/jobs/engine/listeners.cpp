#include "jobs/engine/listeners.h"

#include <spdlog/spdlog.h>

#include <exception>

namespace sluice::jobs {

Subscription Listeners::add(const std::shared_ptr<Listeners>& list, Listener listener) {
  auto entry = std::make_shared<Entry>();
  entry->listener = std::move(listener);
  std::lock_guard lock(list->mutex_);
  const std::uint64_t number = list->next_++;
  list->entries_.emplace(number, entry);
  return Subscription([weak = std::weak_ptr(list), entry, number] {
    if (const auto alive = weak.lock()) {
      std::lock_guard inner(alive->mutex_);
      alive->entries_.erase(number);
    }
    std::lock_guard call(entry->mutex);
    entry->ended = true;
  });
}

void Listeners::send(const Change& change) const {
  // Called outside the list's lock, so that a listener may subscribe, unsubscribe or ask the engine.
  std::vector<std::shared_ptr<Entry>> entries;
  {
    std::lock_guard lock(mutex_);
    entries.reserve(entries_.size());
    for (const auto& [number, entry] : entries_) entries.push_back(entry);
  }
  for (const auto& entry : entries) {
    std::lock_guard call(entry->mutex);
    if (entry->ended) continue;
    try {
      entry->listener(change);
    } catch (const std::exception& error) {
      // News is no reason to lose a worker; whoever throws is told in the log.
      spdlog::error("a listener to changes of jobs threw: {}", error.what());
    } catch (...) {
      spdlog::error("a listener to changes of jobs threw");
    }
  }
}

}  // namespace sluice::jobs
