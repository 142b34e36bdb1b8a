#include "model/row_spool.h"

#include <algorithm>
#include <span>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kBlockRows = 4096;
constexpr std::size_t kLeastBlockBytes = 4096;
constexpr std::size_t kMostBlockBytes = 1u << 20;

// A block in the file: row count, then per column the NULL marks, and its values: 8 bytes each, or all
// lengths and then all bytes. It never leaves this process, so it is in the machine's own byte order.
template <class T>
void append_all(std::string& out, const std::vector<T>& values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::string write_block(const RowBatch& rows) {
  std::string out;
  const std::uint64_t count = rows.rows();
  out.append(reinterpret_cast<const char*>(&count), sizeof count);
  append_all(out, rows.ordinals);
  for (const auto& column : rows.columns()) {
    append_all(out, column.null);
    append_all(out, column.fixed);
    for (const auto& value : column.bytes) {
      const std::uint64_t length = value.size();
      out.append(reinterpret_cast<const char*>(&length), sizeof length);
    }
    for (const auto& value : column.bytes) out += value;
  }
  return out;
}

class BlockReader {
 public:
  explicit BlockReader(std::string_view bytes) : left_(bytes) {}
  template <class T>
  bool read(std::vector<T>& into, std::size_t count) {
    if (left_.size() / sizeof(T) < count) return false;
    into.resize(count);
    left_.copy(reinterpret_cast<char*>(into.data()), count * sizeof(T));
    left_.remove_prefix(count * sizeof(T));
    return true;
  }
  bool read(std::string_view& into, std::size_t count) {
    if (left_.size() < count) return false;
    into = left_.substr(0, count);
    left_.remove_prefix(count);
    return true;
  }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

bool read_block(std::string_view bytes, RowBatch& rows) {
  BlockReader reader(bytes);
  std::vector<std::uint64_t> numbers;
  if (!reader.read(numbers, 1)) return false;
  const auto count = numbers[0];
  if (!reader.read(rows.ordinals, count)) return false;
  for (auto& column : rows.columns()) {
    if (!reader.read(column.null, count)) return false;
    if (is_fixed(column.type)) {
      if (!reader.read(column.fixed, count)) return false;
      continue;
    }
    if (!reader.read(numbers, count)) return false;
    column.bytes.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!reader.read(column.bytes[i], numbers[i])) return false;
    }
  }
  return reader.at_end();
}

std::size_t bytes_of_row(const RowBatch& rows, std::size_t row) {
  std::size_t sum = sizeof(std::uint64_t);
  for (const auto& column : rows.columns()) {
    sum += 1 + (is_fixed(column.type) ? sizeof(std::int64_t)
                                      : sizeof(std::string_view) + column.bytes[row].size());
  }
  return sum;
}

}  // namespace

RowSpool::RowSpool(SchemaPtr schema, std::size_t memory_limit, std::filesystem::path directory)
    : schema_(std::move(schema)),
      memory_limit_(memory_limit),
      block_bytes_(std::clamp(memory_limit / 8, kLeastBlockBytes, kMostBlockBytes)),
      directory_(std::move(directory)),
      open_(schema_) {}

Result<RowSpool::Place> RowSpool::append(const RowBatch& from, std::size_t row) {
  const auto bytes = bytes_of_row(from, row);
  const bool full = open_.rows() == kBlockRows || open_bytes_ + bytes > block_bytes_;
  if (open_.rows() > 0 && full) SLUICE_CHECK(seal());
  open_.append_row(from, row);
  open_bytes_ += bytes;
  return Place{static_cast<std::uint32_t>(sealed_.size()), static_cast<std::uint16_t>(open_.rows() - 1)};
}

Result<void> RowSpool::seal() {
  sealed_.push_back({std::make_unique<RowBatch>(std::exchange(open_, RowBatch(schema_)))});
  open_bytes_ = 0;
  sealed_memory_ += sealed_.back().rows->memory();
  while (sealed_memory_ > memory_limit_ && first_in_memory_ < sealed_.size()) {
    auto& oldest = sealed_[first_in_memory_++];
    const auto freed = oldest.rows->memory();
    SLUICE_CHECK(spill(oldest));
    sealed_memory_ -= freed;
  }
  return {};
}

Result<void> RowSpool::spill(Block& block) {
  if (!file_) {
    auto made = FileHandle::temporary(directory_);
    if (!made) return fail_within("spool changed rows", std::move(made).error());
    file_ = std::move(*made);
  }
  const auto bytes = write_block(*block.rows);
  if (auto written = file_.write_all(bytes); !written)
    return fail_within("spool changed rows to " + directory_.string(), std::move(written).error());
  block.offset = file_size_;
  block.size = bytes.size();
  file_size_ += bytes.size();
  block.rows.reset();
  return {};
}

Result<const RowBatch*> RowSpool::block(std::uint32_t number) {
  if (number == sealed_.size()) return &open_;
  auto& wanted = sealed_[number];
  if (wanted.rows) return wanted.rows.get();
  if (loaded_number_ == number) return &loaded_;
  loaded_number_ = SIZE_MAX;
  loaded_.reset(schema_);
  char* bytes = loaded_.arena().allocate(wanted.size);
  SLUICE_TRY(const std::size_t got, file_.read_at(std::span(bytes, wanted.size), wanted.offset));
  if (got != wanted.size || !read_block({bytes, wanted.size}, loaded_))
    return fail(ErrorCode::io, "the spool file in " + directory_.string() + " lost bytes of changed rows");
  loaded_number_ = number;
  return &loaded_;
}

}  // namespace sluice
