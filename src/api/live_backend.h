// The parts of the backend over the running service: job store and catalog for lists, the target
// database for changes and rejects.
#pragma once

#include "api/backend.h"
#include "service/service.h"

#include <memory>

namespace sluice::api {

// Everything the server needs, over one service that must outlive it. Thread-safe.
class LiveBackend {
 public:
  explicit LiveBackend(service::Service& service);
  ~LiveBackend();
  LiveBackend(const LiveBackend&) = delete;
  LiveBackend& operator=(const LiveBackend&) = delete;

  Backend backend();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace sluice::api
