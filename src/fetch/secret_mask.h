// Takes known secrets out of text that came from elsewhere: error pages and libraries like to repeat them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::fetch {

class SecretMask {
 public:
  // Also masks its URL-encoded and base64 forms. Values under four bytes are left: they would mask ordinary
  // text and are no secrets.
  void add(std::string_view secret);
  std::string apply(std::string text) const;

 private:
  std::vector<std::string> forms_;  // longest first, so that a form inside another does not tear it
};

std::string url_encode(std::string_view text);
std::string base64(std::string_view bytes);

}  // namespace sluice::fetch
