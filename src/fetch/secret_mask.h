// Takes known secrets out of text that came from elsewhere: error pages and libraries like to repeat them.
#pragma once

#include "model/spec.h"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::fetch {

class SecretMask {
 public:
  // Also masks its URL-encoded and base64 forms, and all of them as JSON writes them. Values under four bytes
  // are left: they would mask ordinary text and are no secrets.
  void add(std::string_view secret);
  void add(const SecretMask& other);
  std::string apply(std::string text) const;
  // For messages that show a piece of a source: where it is cut (…), a secret may have been cut in two.
  std::string apply_to_cut(std::string text) const;
  bool empty() const { return forms_.empty(); }

 private:
  void add_form(std::string form);

  std::vector<std::string> forms_;  // longest first, so that a form inside another does not tear it
};

// All that a request for this source sends and nobody should see. Empty for files and for URLs that are none.
SecretMask mask_of(const SourceSpec& source);

std::string url_encode(std::string_view text);
std::string base64(std::string_view bytes);

}  // namespace sluice::fetch
