#include "diff/target_rows.h"

#include "diff/fingerprint_log.h"

#include <string>
#include <utility>
#include <vector>

namespace sluice::diff {
namespace {

class PackedReader final : public FingerprintReader {
 public:
  void add(FingerprintLog::PackedChunk&& chunk) {
    directory_.push_back({std::string(chunk.first_key), chunk.entries});
    chunks_.push_back(std::move(chunk.bytes));
  }
  const std::vector<ChunkInfo>& directory() const override { return directory_; }
  Result<std::string> load(std::size_t i) override { return chunks_[i]; }

 private:
  std::vector<ChunkInfo> directory_;
  std::vector<std::string> chunks_;
};

}  // namespace

Result<FingerprintsOfRows> fingerprints_of_rows(RowReader& rows, RowHasher& hasher,
                                                const IsSoftDeleted& is_soft_deleted, std::stop_token stop) {
  FingerprintsOfRows result;
  FingerprintLog log;
  RowBatch batch;
  HashedRows hashed;
  for (;;) {
    SLUICE_TRY(const bool more, rows.next(batch, stop));
    if (!more) break;
    hasher.hash(batch, hashed);
    result.rows += static_cast<std::int64_t>(batch.rows());
    result.without_key += static_cast<std::int64_t>(hashed.rejected.size());
    auto rejected = hashed.rejected.begin();
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (rejected != hashed.rejected.end() && *rejected == row) {
        ++rejected;
        continue;
      }
      const bool gone = is_soft_deleted && is_soft_deleted(batch, row);
      const auto added =
          log.add(hashed.keys[row], hashed.fingerprints[row], gone ? kSoftDeleted : std::uint8_t{0});
      if (added.duplicate) ++result.duplicate_keys;
    }
  }
  auto reader = std::make_unique<PackedReader>();
  SLUICE_CHECK(log.pack([&](FingerprintLog::PackedChunk&& chunk) -> Result<void> {
    reader->add(std::move(chunk));
    return {};
  }));
  result.reader = std::move(reader);
  return result;
}

}  // namespace sluice::diff
