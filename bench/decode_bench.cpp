// Rates of decoding: 1,000,000 rows of 9 columns as CSV (about 120 MB), JSON and NDJSON, typed into batches.
// Usage: decode_bench [ROWS]. Prints one line a format: MB, seconds (best of 3), MB/s, resident memory.
#include "decode/decode.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

namespace {

using namespace sluice;

struct RowText {
  std::string csv, json;
};

RowText make_row(std::uint64_t i, std::mt19937_64& random) {
  const auto hash = random();
  const auto name = fmt::format("Customer {:016x} of {} Street", hash, hash % 997);
  const auto email = fmt::format("user{}@mail{}.example.org", i, hash % 97);
  const auto cents = hash % 1'000'000;
  const auto time = fmt::format("20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}Z", 10 + hash % 15, 1 + hash % 12,
                                1 + hash % 28, hash % 24, hash % 60, (hash >> 8) % 60);
  const auto status = hash % 3 == 0 ? "active" : hash % 3 == 1 ? "suspended" : "closed";
  const auto flag = hash % 2 == 0 ? "true" : "false";
  return {fmt::format("{},{},{},{}.{:02},{},{},{},{},{}\n", i, name, email, cents / 100, cents % 100,
                      hash % 5000, time.substr(0, 10), time, status, flag),
          fmt::format(
              "{{\"id\": {}, \"name\": \"{}\", \"email\": \"{}\", \"balance\": {}.{:02}, \"points\": {}, "
              "\"born\": \"{}\", \"updated_at\": \"{}\", \"status\": \"{}\", \"active\": {}}}",
              i, name, email, cents / 100, cents % 100, hash % 5000, time.substr(0, 10), time, status, flag)};
}

long resident_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

int measure(const std::filesystem::path& path, bool ahead) {
  auto file = FileHandle::open_read(path);
  if (!file) return 1;
  decode::Input input;
  input.file = std::make_shared<FileHandle>(std::move(*file));
  input.name = path.filename().string();
  const DecodeSpec spec;
  const auto probe = decode::probe(input, spec, {});
  if (!probe) {
    fmt::print(stderr, "{}\n", probe.error().describe());
    return 1;
  }
  auto schema = std::make_shared<Schema>();
  for (const auto& seen : probe->columns) {
    schema->columns.push_back(
        {static_cast<int>(schema->columns.size()) + 1, seen.name, seen.name, seen.type, 0, 0});
  }
  schema->key = {0};
  double best = 1e9;
  std::uint64_t rows = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = std::chrono::steady_clock::now();
    auto decoder = decode::open(input, spec, *probe, schema, {}, {});
    if (!decoder) return 1;
    std::unique_ptr<decode::Decoder> reader = std::move(*decoder);
    if (ahead) reader = decode::read_ahead(std::move(reader));
    RowBatch batch;
    rows = 0;
    for (;;) {
      const auto more = reader->next(batch, {});
      if (!more) {
        fmt::print(stderr, "{}\n", more.error().describe());
        return 1;
      }
      if (!*more) break;
      rows += batch.rows();
    }
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  const auto bytes = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
  fmt::print("{:<12} {:>6} rows={} {:7.1f} MB {:6.3f} s {:7.0f} MB/s  resident {:.1f} MB\n", input.name,
             ahead ? "ahead" : "direct", rows, bytes, best, bytes / best,
             static_cast<double>(resident_kib()) / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("sluice-decode-bench-{}", rows);
  std::filesystem::create_directories(folder);
  {
    std::ofstream csv(folder / "rows.csv");
    std::ofstream json(folder / "rows.json");
    std::ofstream ndjson(folder / "rows.ndjson");
    csv << "id,name,email,balance,points,born,updated_at,status,active\n";
    json << "[";
    std::mt19937_64 random(42);
    for (std::uint64_t i = 0; i < rows; ++i) {
      const auto row = make_row(i, random);
      csv << row.csv;
      json << (i == 0 ? "\n" : ",\n") << row.json;
      ndjson << row.json << '\n';
    }
    json << "\n]\n";
  }
  int failed = 0;
  for (const char* name : {"rows.csv", "rows.json", "rows.ndjson"}) {
    for (const bool ahead : {false, true}) failed += measure(folder / name, ahead);
  }
  std::filesystem::remove_all(folder);
  return failed == 0 ? 0 : 1;
}
