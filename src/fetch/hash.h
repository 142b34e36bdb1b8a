// XXH3-128 over bytes that arrive in pieces: tells "the same bytes" from "new bytes".
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace sluice::fetch {

class BodyHash {
 public:
  BodyHash();
  ~BodyHash();
  BodyHash(BodyHash&&) noexcept;
  BodyHash& operator=(BodyHash&&) noexcept;

  void update(std::string_view bytes);
  std::string hex() const;      // 32 digits, of what came so far
  std::uint64_t low64() const;  // half of it, for short identities

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct FileHash {
  std::string hex;
  std::uint64_t length = 0;  // bytes that were there, whatever stat said
};
// Reads the whole file from its start. Error cancelled when stopped, io when it cannot be read.
Result<FileHash> hash_file(const FileHandle& file, std::stop_token stop);

}  // namespace sluice::fetch
