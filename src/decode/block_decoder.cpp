#include "decode/block_decoder.h"

#include "decode/text_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::decode {

Result<void> BlockDecoder::open(std::optional<Encoding> encoding) {
  const auto& options = builder_.options();
  auto opened = [&]() -> Result<void> {
    SLUICE_CHECK(prepare());
    SLUICE_TRY(auto text, open_text(builder_.input(), encoding));
    reader_.emplace(std::move(text.bytes), options.block_bytes, options.max_record_bytes);
    return {};
  }();
  if (!opened) return fail_within(builder_.input().name, std::move(opened).error());
  return {};
}

Result<bool> BlockDecoder::next(RowBatch& batch, std::stop_token stop) {
  auto more = next_batch(batch, std::move(stop));
  if (!more) return fail_within(builder_.input().name, std::move(more).error());
  if (!*more) {
    batch.reset(builder_.schema_ptr());
    batch.source = builder_.input().source;
  }
  // Whole records that are bad come behind those with a bad value: back into the order of the source.
  std::stable_sort(batch.rejects.begin(), batch.rejects.end(),
                   [](const Reject& a, const Reject& b) { return a.ordinal < b.ordinal; });
  return more;
}

Result<BlockDecoder::Skipped> BlockDecoder::skip_record(const FindEnd& find_end,
                                                        const std::stop_token& stop) {
  Skipped skipped;
  while (block_) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while decoding");
    const auto end = find_end(block_->text());
    const auto used = end.value_or(block_->size);
    skipped.bytes += used;
    skipped.start += block_->text().substr(0, std::min(used, kRawBytes - skipped.start.size()));
    SLUICE_CHECK(reader_->carry(used));
    block_.reset();
    if (end) {
      skipped.ended = true;
      return skipped;
    }
    SLUICE_TRY(block_, reader_->next());
  }
  return skipped;
}

void BlockDecoder::reject_too_large(RowBatch& batch, std::uint64_t ordinal, std::uint64_t bytes,
                                    const RowBuilder::Described& described) {
  builder_.reject_record(batch, ordinal,
                         {RejectStage::decode, "recordTooLarge", -1,
                          fmt::format("the record has {} bytes, the most are {}", bytes, largest_record())},
                         described);
}

}  // namespace sluice::decode
