#include "base/secret.h"

#include <algorithm>

namespace sluice {
namespace {

// A word of the query without a name is a switch when it is short, perhaps a key when it is long.
constexpr std::size_t kLongWord = 12;

// Where the host begins: behind the last '@' that belongs to the user and password. They end at / ? or #,
// but people write passwords that hold those; what follows the colon is then no port.
std::size_t host_of(std::string_view url, std::size_t begin, bool has_scheme) {
  const auto end = std::min(url.find_first_of("/?#", begin), url.size());
  if (const auto at = url.substr(0, end).rfind('@'); at != std::string_view::npos && at >= begin) return at;
  if (!has_scheme || url.substr(begin).starts_with('[')) return begin;
  const auto colon = url.find(':', begin);
  if (colon >= end || url.find_first_not_of("0123456789", colon + 1) == end) return begin;
  const auto at = url.rfind('@');
  return at == std::string_view::npos || at < begin ? begin : at;
}

// Names stay readable, values may be keys: ?page=***&key=***
std::string masked_query(std::string_view query) {
  std::string masked;
  for (;;) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos) {
      masked += pair.substr(0, equals + 1);
      masked += "***";
    } else {
      masked += pair.size() < kLongWord ? pair : "***";
    }
    if (end == query.size()) return masked;
    masked += '&';
    query.remove_prefix(end + 1);
  }
}

}  // namespace

std::string mask_url(std::string_view url) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const auto host = host_of(url, begin, begin > 0);
  std::string masked(url.substr(0, begin));
  if (host > begin) masked += "***";
  url.remove_prefix(host);

  const auto hash = url.find('#');
  const auto question = url.substr(0, hash).find('?');
  masked += url.substr(0, std::min(question, hash));
  if (question != std::string_view::npos)
    masked += '?' + masked_query(url.substr(question + 1, std::min(hash, url.size()) - question - 1));
  if (hash != std::string_view::npos) masked += "#***";
  return masked;
}

}  // namespace sluice
