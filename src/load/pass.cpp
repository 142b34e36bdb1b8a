#include "load/pass.h"

#include "diff/key_codec.h"

#include <algorithm>

namespace sluice::load {
namespace {

// Takes over the rejects of a batch, as many as the sample holds, without what no record should show.
void keep_rejects(RowBatch& batch, std::size_t sample, const fetch::SecretMask& mask, PassResult& result) {
  const auto keyed = batch.rejected_keys ? static_cast<std::int64_t>(batch.rejected_keys->rows()) : 0;
  result.rejected += static_cast<std::int64_t>(batch.rejected);
  result.keyless_rejects += static_cast<std::int64_t>(batch.rejected) - keyed;
  for (auto& reject : batch.rejects) {
    if (result.rejects.size() >= sample) break;
    result.rejects.push_back(std::move(reject));
    auto& kept = result.rejects.back();
    kept.message = mask.apply_to_cut(std::move(kept.message));
    kept.raw = mask.apply_to_cut(std::move(kept.raw));
  }
}

decode::OpenOptions open_options(const LoaderSpec& loader, const Schema& schema, const PassOptions& options,
                                 std::size_t rejects_left) {
  decode::OpenOptions open;
  for (const auto& column : schema.columns) open.strict.push_back(options.strict.contains(column.name));
  open.ignored_fields = options.ignored_fields;
  open.ignore_new_fields = options.ignore_new_fields;
  open.case_insensitive_fields = loader.target.case_insensitive_fields;
  open.reject_cap = rejects_left;
  open.keep_raw = loader.rejects.raw;
  return open;
}

// The schema as this item spells its fields; only the names to look for differ.
SchemaPtr as_spelled(const SchemaPtr& schema, const PassOptions& options, std::size_t item) {
  if (item >= options.spellings.size() || options.spellings[item].empty()) return schema;
  auto own = std::make_shared<Schema>(*schema);
  for (auto& column : own->columns) {
    const auto at = options.spellings[item].find(column.from);
    if (at != options.spellings[item].end()) column.from = at->second;
  }
  return own;
}

}  // namespace

bool PassResult::must_read_again() const {
  return std::any_of(findings.begin(), findings.end(), [](const auto& found) {
    if (found.encoding) return true;
    const bool fields = std::any_of(found.new_fields.begin(), found.new_fields.end(),
                                    [](const auto& f) { return !f.all_null; });
    return fields || !found.misfits.empty();
  });
}

Result<PassResult> read_all(const Request& request, const std::vector<ProbedItem>& items, SchemaPtr schema,
                            const PassOptions& options, Observer& observer, RowSink& sink,
                            std::stop_token stop) {
  const auto& loader = request.loader;
  const auto mask = mask_of(loader);
  const auto sample = static_cast<std::size_t>(loader.rejects.sample);
  PassResult result;
  result.good.assign(loader.sources.size(), 0);
  diff::RowHasher hasher(schema);
  diff::HashedRows hashed;
  diff::HashedRows keys;
  Observer::Progress progress{.phase = options.phase, .total_bytes = 0};
  for (const auto& item : items) {
    if (item.left_out) continue;
    if (const auto size = item.input.file->size()) *progress.total_bytes += static_cast<std::int64_t>(*size);
  }
  std::int64_t bytes_before = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& item = items[i];
    if (item.empty || item.left_out) {
      result.findings.emplace_back();
      continue;
    }
    const auto own = as_spelled(schema, options, i);
    const auto left = sample - std::min(sample, result.rejects.size());
    auto opened = decode::open(item.input, *item.spec, item.probe, own,
                               open_options(loader, *schema, options, left), stop);
    if (!opened) return while_reading(item.input.name, std::move(opened).error(), mask);
    const auto reader = decode::read_ahead(std::move(*opened));
    RowBatch batch(own);
    for (;;) {
      auto more = reader->next(batch, stop);
      if (!more) return while_reading(item.input.name, std::move(more).error(), mask);
      result.read += static_cast<std::int64_t>(batch.rows() + batch.rejected);
      result.good[item.source] += static_cast<std::int64_t>(batch.rows());
      keep_rejects(batch, sample, mask, result);
      if (batch.rejected_keys && !schema->key.empty()) {
        hasher.hash_keys(*batch.rejected_keys, keys);
        SLUICE_CHECK(sink.rejected_keys(keys));
      }
      if (batch.rows() > 0) {
        hasher.hash(batch, hashed);
        SLUICE_CHECK(sink.rows(batch, hashed));
      }
      progress.rows = result.read;
      progress.bytes = bytes_before + static_cast<std::int64_t>(reader->bytes_read());
      observer.progress(progress);
      if (!*more) break;
    }
    bytes_before = progress.bytes;
    result.findings.push_back(reader->findings());
  }
  return result;
}

}  // namespace sluice::load
