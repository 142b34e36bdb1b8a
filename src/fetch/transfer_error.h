// libcurl's result codes in our words.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace sluice::fetch {

struct TransferFailure {
  int code = 0;            // CURLcode
  long os_error = 0;       // errno of the last failed system call, 0 = none
  long proxy_status = 0;   // the proxy's answer to CONNECT, 0 = none
  std::string detail;      // libcurl's error buffer
  std::string host;        // as "host:port"
  bool connected = false;  // the request could be sent
};

Error transfer_error(const TransferFailure& failure);

}  // namespace sluice::fetch
