// What the decoders of text have in common: a source read block by block, a builder of rows, records too
// large to hold, and the source's name in every error.
#pragma once

#include "decode/block.h"
#include "decode/row_builder.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::decode {

class BlockDecoder : public Decoder {
 public:
  BlockDecoder(const Input& input, SchemaPtr schema, OpenOptions options)
      : builder_(input, std::move(schema), std::move(options)) {}

  // Opens the source. A byte order mark decides its encoding, else `encoding`, else its first bytes.
  Result<void> open(std::optional<Encoding> encoding);
  Result<bool> next(RowBatch& batch, std::stop_token stop) final;
  const Findings& findings() const final { return builder_.findings(); }
  std::uint64_t bytes_read() const final { return reader_ ? reader_->consumed() : 0; }

 protected:
  // What a format has to say before the first block.
  virtual Result<void> prepare() { return {}; }
  // Fills the batch; false = the source is at its end.
  virtual Result<bool> next_batch(RowBatch& batch, std::stop_token stop) = 0;

  std::uint64_t largest_record() const { return builder_.options().max_record_bytes; }

  // Steps over the record that begins the present block, which is as large as blocks get and holds no end of
  // it. `find_end` hears the bytes from the record's first one on, block by block, and gives the position
  // behind its last one. The next block begins there.
  struct Skipped {
    std::string start;        // what a reject keeps of it
    std::uint64_t bytes = 0;  // all of it
    bool ended = false;       // false: the source ended first
  };
  using FindEnd = std::function<std::optional<std::size_t>(std::string_view)>;
  Result<Skipped> skip_record(const FindEnd& find_end, const std::stop_token& stop);
  void reject_too_large(RowBatch& batch, std::uint64_t ordinal, std::uint64_t bytes,
                        const RowBuilder::Described& described);

  RowBuilder builder_;
  std::optional<BlockReader> reader_;
  std::shared_ptr<Block> block_;
};

}  // namespace sluice::decode
