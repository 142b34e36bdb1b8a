#include "base/secret.h"

namespace sluice {

std::string mask_url(std::string_view url) {
  std::string masked(url);
  const auto scheme = masked.find("://");
  if (scheme != std::string::npos) {
    const auto host = scheme + 3;
    const auto path = masked.find_first_of("/?#", host);
    const auto at = masked.rfind('@', path == std::string::npos ? masked.size() : path);
    if (at != std::string::npos && at >= host) masked.replace(host, at - host, "***");
  }
  if (const auto query = masked.find('?'); query != std::string::npos) {
    // Names stay readable, values may be keys: ?page=***&key=***
    std::string rest = masked.substr(query + 1);
    masked.resize(query + 1);
    std::size_t begin = 0;
    while (begin <= rest.size()) {
      auto end = rest.find('&', begin);
      if (end == std::string::npos) end = rest.size();
      const auto pair = rest.substr(begin, end - begin);
      const auto equals = pair.find('=');
      masked += equals == std::string::npos ? pair : pair.substr(0, equals + 1) + "***";
      if (end < rest.size()) masked += '&';
      begin = end + 1;
    }
  }
  return masked;
}

}  // namespace sluice
