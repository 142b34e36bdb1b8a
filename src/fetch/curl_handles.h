// Private to fetch: what a ConnectionPool hands out. Heavy, for the .cpp files that talk to libcurl.
#pragma once

#include "fetch/connection_pool.h"

#include <curl/curl.h>

#include <memory>

namespace sluice::fetch {

struct ConnectionPool::Handles {
  struct FreeMulti {
    void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
  };
  struct FreeEasy {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  std::unique_ptr<CURLM, FreeMulti> multi{curl_multi_init()};
  std::unique_ptr<CURL, FreeEasy> easy{curl_easy_init()};  // cleaned up first, as libcurl wants
};

}  // namespace sluice::fetch
