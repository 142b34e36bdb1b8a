// What do hashing and comparing cost a row? 1 M rows × 9 columns of the standard data, reported as time a
// row.
#include "bench/sample_row.h"
#include "diff/differ.h"
#include "diff/first_load.h"
#include "model/change_set.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace sluice {
namespace {

constexpr std::int64_t kRows = 1'000'000;
constexpr std::size_t kBatchRows = 4096;

SchemaPtr sample_schema(bool text_key) {
  Schema schema;
  const std::pair<const char*, ValueType> columns[] = {
      {"id", ValueType::int64},       {"code", ValueType::text},
      {"name", ValueType::text},      {"country", ValueType::text},
      {"quantity", ValueType::int64}, {"price", ValueType::decimal},
      {"active", ValueType::boolean}, {"updated_at", ValueType::timestamp},
      {"notes", ValueType::text}};
  for (const auto& [name, type] : columns) {
    Column column;
    column.id = static_cast<int>(schema.columns.size()) + 1;
    column.name = name;
    column.type = type;
    schema.columns.push_back(column);
  }
  schema.key = {text_key ? 1u : 0u};
  return std::make_shared<const Schema>(std::move(schema));
}

using Batches = std::vector<RowBatch>;

Batches make_batches(const SchemaPtr& schema, const std::vector<std::int64_t>& ids, bool day2) {
  Batches batches;
  for (const auto id : ids) {
    if (batches.empty() || batches.back().rows() == kBatchRows) batches.emplace_back(schema);
    auto& batch = batches.back();
    const auto row = bench::sample_row(id, day2 && bench::changed_on_day_2(id) ? 1 : 0);
    auto& columns = batch.columns();
    const auto text = [&](std::size_t i, std::string_view value) {
      columns[i].push_bytes(batch.arena().store(value));
    };
    columns[0].push_fixed(row.id);
    text(1, row.code);
    text(2, row.name);
    text(3, row.country);
    columns[4].push_fixed(row.quantity);
    text(5, fmt::format("{}.{:02}", row.price_cents / 100, row.price_cents % 100));
    columns[6].push_fixed(row.active ? 1 : 0);
    columns[7].push_fixed(row.updated_at * 1'000'000);
    if (row.notes.empty()) {
      columns[8].push_null();
    } else {
      text(8, row.notes);
    }
    batch.ordinals.push_back(static_cast<std::uint64_t>(id));
  }
  return batches;
}

std::vector<std::int64_t> all_ids(bool shuffled) {
  std::vector<std::int64_t> ids(kRows);
  for (std::int64_t i = 0; i < kRows; ++i) ids[static_cast<std::size_t>(i)] = i + 1;
  if (shuffled) std::shuffle(ids.begin(), ids.end(), std::mt19937_64(1));
  return ids;
}

class Target final : public FingerprintReader {
 public:
  explicit Target(const diff::FingerprintLog& log) {
    const auto packed = log.pack([&](diff::FingerprintLog::PackedChunk&& chunk) -> Result<void> {
      directory_.push_back({std::string(chunk.first_key), chunk.entries});
      chunks_.push_back(std::move(chunk.bytes));
      return {};
    });
    if (!packed) std::abort();
  }
  const std::vector<ChunkInfo>& directory() const override { return directory_; }
  Result<std::string> load(std::size_t i) override { return chunks_[i]; }

 private:
  std::vector<ChunkInfo> directory_;
  std::vector<std::string> chunks_;
};

diff::FirstLoad load_all(const SchemaPtr& schema, const Batches& batches) {
  diff::RowHasher hasher(schema);
  diff::HashedRows hashed;
  diff::FirstLoad load;
  diff::FirstLoadRows rows;
  for (const auto& batch : batches) {
    hasher.hash(batch, hashed);
    load.add(hashed, rows);
  }
  return load;
}

void report(benchmark::State& state) {
  state.counters["per_row"] = benchmark::Counter(static_cast<double>(kRows * state.iterations()),
                                                 benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void hash_rows(benchmark::State& state, bool text_key) {
  const auto schema = sample_schema(text_key);
  const auto batches = make_batches(schema, all_ids(false), false);
  diff::RowHasher hasher(schema);
  diff::HashedRows hashed;
  for (auto _ : state) {
    for (const auto& batch : batches) {
      hasher.hash(batch, hashed);
      benchmark::DoNotOptimize(hashed.fingerprints.data());
    }
  }
  report(state);
}

// Hash and compare; subtract hash_rows for the diff alone.
void diff_rows(benchmark::State& state, bool text_key, bool shuffled, bool day2) {
  const auto schema = sample_schema(text_key);
  const auto first = make_batches(schema, all_ids(false), false);
  Target target(load_all(schema, first).fingerprints());
  const auto incoming = make_batches(schema, all_ids(shuffled), day2);
  for (auto _ : state) {
    ChangeSet changes(schema, 64u << 20, std::filesystem::temp_directory_path());
    diff::Differ differ(&target, {}, changes);
    diff::RowHasher hasher(schema);
    diff::HashedRows hashed;
    for (const auto& batch : incoming) {
      hasher.hash(batch, hashed);
      if (!differ.add(batch, hashed, {})) std::abort();
    }
    const auto summary = differ.finish(true, {});
    if (!summary || summary->counts.inserted != 0 || (summary->counts.updated != 0) != day2) std::abort();
  }
  report(state);
}

void first_load(benchmark::State& state, bool text_key, bool shuffled) {
  const auto schema = sample_schema(text_key);
  const auto batches = make_batches(schema, all_ids(shuffled), false);
  for (auto _ : state) {
    const auto load = load_all(schema, batches);
    const Target target(load.fingerprints());
    state.counters["log_bytes_a_row"] = static_cast<double>(load.fingerprints().memory()) / kRows;
  }
  report(state);
}

BENCHMARK_CAPTURE(hash_rows, integer_key, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(hash_rows, text_key, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(diff_rows, integer_key_in_order, false, false, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(diff_rows, integer_key_in_order_day_2, false, false, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(diff_rows, integer_key_shuffled, false, true, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(diff_rows, text_key_not_in_order, true, false, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_load, integer_key_in_order, false, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_load, integer_key_shuffled, false, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_load, text_key_not_in_order, true, false)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
