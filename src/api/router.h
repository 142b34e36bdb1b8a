// Finds the route of a request, applies the protections, and calls the handler. Knows nothing of sockets.
#pragma once

#include "api/assets.h"
#include "api/backend.h"
#include "api/request.h"

#include <span>
#include <string>
#include <vector>

namespace sluice::api {

struct RouterOptions {
  std::string listen_host = "127.0.0.1";   // as bound; its name is an accepted Host
  std::vector<std::string> allowed_hosts;  // further accepted Host names, without port
  std::string version = "0.1.0";
  std::string loader_schema = "{}";  // the text of /schema/loader.json
  std::string job_schema = "{}";     // the text of /schema/job.json
  std::span<const Asset> assets = page_assets();
};

// Immutable after construction; handle() may be called from several threads at once.
class Router {
 public:
  Router(Backend backend, RouterOptions options);

  // Never fails: whatever goes wrong is a response. HEAD is answered as GET; the server leaves out the body.
  Response handle(const Request& request) const;
  // Whether the answer is at hand: the page's files and the sign of life, which never wait for the store.
  bool is_at_hand(const Request& request) const;

 private:
  Response dispatch(const Request& request) const;

  Backend backend_;
  RouterOptions options_;
};

}  // namespace sluice::api
