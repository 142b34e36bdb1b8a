// Private to fetch: what one request in flight has heard so far, and the rules that an answer must keep.
#pragma once

#include "base/error.h"
#include "fetch/spool.h"
#include "fetch/transfer.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice::fetch {

// Fed by the callbacks of libcurl, on the thread inside Transfer::get(). false = end the transfer.
struct Exchange {
  const Policy& policy;
  const Transfer::Progress& progress;
  const Request& request;
  Spool* spool;  // null: no body is data, and more of it is kept as excerpt
  Response response;
  std::optional<Error> own_error;  // why a callback ended the transfer
  bool enough = false;             // an unwanted body was cut off on purpose
  bool address_refused = false;
  bool connected = false;
  bool head_complete = false;  // up to its blank line
  bool body_began = false;
  std::size_t header_bytes = 0;
  std::chrono::steady_clock::time_point last_sign = std::chrono::steady_clock::now();
  std::size_t since_sign = 0;  // bytes that were too few to count

  bool header(std::string_view line);  // with its line end; the blank one too
  bool body(std::string_view bytes);

 private:
  bool is_data() const { return spool != nullptr && response.is_data(); }
  bool take(Result<void> result);
  bool content_length(std::string_view value);
  // A sign of life; `turn`: the answer begins, or its body does.
  void note_sign(std::size_t bytes, bool turn);
};

}  // namespace sluice::fetch
