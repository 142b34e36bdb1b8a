// From a source's definition to the requests it sends: who we are, what goes to which host, and a name for
// "the same thing asked by the same client".
#pragma once

#include "base/error.h"
#include "fetch/secret_mask.h"
#include "fetch/transfer.h"
#include "fetch/url.h"
#include "model/spec.h"

#include <string>

namespace sluice::fetch {

class RequestBuilder {
 public:
  // Error invalid_definition: not a URL, a header with a line break. `source` must outlive the builder.
  static Result<RequestBuilder> create(const SourceSpec& source, std::string user_agent);

  const Url& first() const { return first_; }
  const SecretMask& mask() const { return mask_; }
  bool has_credentials() const { return has_credentials_; }

  // The first request, or one that a redirect led to. Credentials and all headers of the definition but
  // Accept, Accept-Language and User-Agent go to the origin of `url` only: any of them may be a secret.
  // `conditional` may be null; its ETag wins over its Last-Modified.
  Request build(const Url& url, bool redirected, const Validators* conditional) const;

  // Validators::location of what `url` answers to this client. Credentials enter it with 16 bits of a hash:
  // enough to see that they changed, too few to confirm a guess.
  std::string location(const Url& url) const;

 private:
  explicit RequestBuilder(const SourceSpec& source) : source_(&source) {}
  void collect_secrets();
  bool states_header(std::string_view name) const;

  const SourceSpec* source_;
  std::string user_agent_;
  Url first_;
  std::string user_, password_;
  bool has_credentials_ = false;
  std::uint64_t client_ = 0;  // hash of credentials and headers
  SecretMask mask_;
};

}  // namespace sluice::fetch
