#include "fetch/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <vector>

namespace sluice::fetch {

struct BodyHash::State {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> xxh{XXH3_createState()};
};

BodyHash::BodyHash() : state_(std::make_unique<State>()) { XXH3_128bits_reset(state_->xxh.get()); }
BodyHash::~BodyHash() = default;
BodyHash::BodyHash(BodyHash&&) noexcept = default;
BodyHash& BodyHash::operator=(BodyHash&&) noexcept = default;

void BodyHash::update(std::string_view bytes) {
  XXH3_128bits_update(state_->xxh.get(), bytes.data(), bytes.size());
}

std::string BodyHash::hex() const {
  const auto digest = XXH3_128bits_digest(state_->xxh.get());
  return fmt::format("{:016x}{:016x}", digest.high64, digest.low64);
}

std::uint64_t BodyHash::low64() const { return XXH3_128bits_digest(state_->xxh.get()).low64; }

Result<FileHash> hash_file(const FileHandle& file, std::stop_token stop) {
  std::vector<char> buffer(1u << 20);
  BodyHash hash;
  FileHash result;
  for (;;) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while the file was read");
    SLUICE_TRY(const std::size_t got, file.read_at(buffer, result.length));
    if (got == 0) break;
    hash.update({buffer.data(), got});
    result.length += got;
  }
  result.hex = hash.hex();
  return result;
}

}  // namespace sluice::fetch
