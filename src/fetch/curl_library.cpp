#include "fetch/curl_library.h"

#include <curl/curl.h>

namespace sluice::fetch {

Result<CurlLibrary> CurlLibrary::start() {
  if (const auto code = curl_global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK) {
    return fail(ErrorCode::internal, std::string("libcurl cannot be set up: ") + curl_easy_strerror(code));
  }
  return CurlLibrary();
}

CurlLibrary::~CurlLibrary() {
  if (owns_) curl_global_cleanup();
}

std::string CurlLibrary::version() { return curl_version(); }

}  // namespace sluice::fetch
