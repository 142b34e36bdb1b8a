// What is remembered of a source's bytes, so that the next run can tell "the same" from "new".
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::fetch {

// One fetched item. Stored with the target, in the transaction that applies its data: a validator saved
// before a failed load would make the next run skip data for ever. Holds no secret.
struct Validators {
  std::string location;       // file: its real path; http: masked final URL and a hash of URL and credentials
  std::string etag;           // as sent, with quotes and W/; "" = none, or none that can be sent back
  std::string last_modified;  // as sent; "" = none, or too fresh to be trusted (RFC 9110, 8.8.2.2)
  std::string body_hash;      // 32 hex digits, XXH3-128 of the bytes as handed on
  std::string content_type;   // http only
  std::uint64_t length = 0;   // bytes as handed on
  std::int64_t mtime_ns = 0;  // file only; 0 = touched too recently to be trusted, compare by hash
  std::int64_t ctime_ns = 0;  // file only
  std::uint64_t inode = 0;    // file only
  friend bool operator==(const Validators&, const Validators&) = default;
};

// A JSON array of objects; fields that are empty or 0 are left out, unknown ones ignored.
std::string to_json(const std::vector<Validators>& validators);
// Error malformed when the text is not such an array.
Result<std::vector<Validators>> validators_from_json(std::string_view json);

}  // namespace sluice::fetch
