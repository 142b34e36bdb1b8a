// Merges change notices, so that a burst, or a reader that is slow, costs one event and no memory.
#pragma once

#include "api/backend.h"

#include <string>
#include <vector>

namespace sluice::api {

class EventChange {
 public:
  void add(const ChangeNotice& notice);
  void add(const EventChange& other);
  bool empty() const { return !jobs_ && !loaders_ && !definitions_ && !nodes_; }
  void clear() { *this = EventChange(); }

  // {"topics":["jobs","loaders"],"jobs":["17"]}; "jobs":null = any job may have changed.
  std::string json() const;

 private:
  static constexpr std::size_t kMostJobs = 50;
  bool jobs_ = false, loaders_ = false, definitions_ = false, nodes_ = false;
  bool any_job_ = false;
  std::vector<JobId> job_ids_;
};

}  // namespace sluice::api
