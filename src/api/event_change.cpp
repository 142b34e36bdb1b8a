#include "api/event_change.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::api {

void EventChange::add(const ChangeNotice& notice) {
  loaders_ |= notice.loaders;
  definitions_ |= notice.definitions;
  nodes_ |= notice.nodes;
  if (!notice.jobs && !notice.job) return;
  jobs_ = true;
  if (!notice.job) any_job_ = true;
  if (any_job_ || std::ranges::find(job_ids_, notice.job) != job_ids_.end()) return;
  job_ids_.push_back(notice.job);
  any_job_ = job_ids_.size() > kMostJobs;
}

void EventChange::add(const EventChange& other) {
  loaders_ |= other.loaders_;
  definitions_ |= other.definitions_;
  nodes_ |= other.nodes_;
  if (other.any_job_) add(ChangeNotice{.jobs = true});
  for (const JobId job : other.job_ids_) add(ChangeNotice{.jobs = true, .job = job});
}

std::string EventChange::json() const {
  std::vector<std::string_view> topics;
  if (jobs_) topics.push_back("\"jobs\"");
  if (loaders_) topics.push_back("\"loaders\"");
  if (definitions_) topics.push_back("\"definitions\"");
  if (nodes_) topics.push_back("\"nodes\"");
  std::vector<std::string> ids;
  ids.reserve(job_ids_.size());
  for (const JobId job : job_ids_) ids.push_back(fmt::format("\"{}\"", job.value()));
  const std::string jobs = any_job_ ? "null" : fmt::format("[{}]", fmt::join(ids, ","));
  return fmt::format(R"({{"topics":[{}],"jobs":{}}})", fmt::join(topics, ","), jobs);
}

}  // namespace sluice::api
