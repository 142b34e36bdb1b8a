// What a source is: compression, format, where its records are, their fields and types.
#include "base/text.h"
#include "decode/block.h"
#include "decode/encoding_guess.h"
#include "decode/formats.h"
#include "decode/json_look.h"
#include "decode/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::decode {
namespace {

constexpr std::size_t kSniffed = 1u << 20;
constexpr std::size_t kLargestSniffed = 64u << 20;
constexpr std::uint64_t kSampledRecords = 1000;

std::string_view without_space(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

std::unexpected<Error> markup(const Input& input, std::string_view text) {
  const auto start = to_lower(text.substr(0, 1024));
  const auto shown = printable(text, 200);
  if (start.find("<html") != std::string::npos || start.find("<!doctype html") != std::string::npos) {
    if (input.local_file)
      return fail(ErrorCode::malformed, fmt::format("this is an HTML page, not data: {}", shown));
    return fail(
        ErrorCode::unauthorized,
        fmt::format("an HTML page came instead of data; it looks like a login or error page: {}", shown));
  }
  return fail(ErrorCode::unsupported, fmt::format("this is XML, which is not available yet: {}", shown));
}

// A server that has nothing to say may have something at the next try.
std::unexpected<Error> empty(const Input& input) {
  if (input.local_file) return fail(ErrorCode::malformed, "the file is empty");
  return fail_transient(ErrorCode::malformed,
                        "the answer is empty, where at least an empty list is expected");
}

bool is_one_json_line(std::string_view line) {
  JsonWalker walker({}, false, false);
  std::size_t at = 0;
  const auto event = walker.walk(line, at);
  return event && *event == JsonWalker::Event::complete && walker.top_is_object();
}

// Several lines, each an object of its own.
bool looks_like_ndjson(std::string_view text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos || !is_one_json_line(text.substr(0, end))) return false;
  return without_space(text.substr(end)).starts_with('{');
}

bool name_ends(std::string_view name, std::initializer_list<std::string_view> endings) {
  auto lower = to_lower(name);
  for (const std::string_view packed : {".gz", ".zst", ".zip"}) {
    if (lower.ends_with(packed)) lower.resize(lower.size() - packed.size());
  }
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return lower.ends_with(ending); });
}

// More control characters than text that was damaged here and there would have.
bool is_binary(std::string_view start) {
  const auto controls = std::count_if(start.begin(), start.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
  return static_cast<std::size_t>(controls) * 10 > start.size();
}

Result<Format> find_format(const Input& input, std::string_view text) {
  const auto body = without_space(text);
  const auto type = to_lower(input.content_type);
  if (body.empty()) return empty(input);
  if (body.starts_with('<')) return markup(input, body);
  if (is_binary(body.substr(0, 512))) {
    return fail(ErrorCode::malformed, "this is binary data, neither JSON nor CSV");
  }
  const bool brace = body.starts_with('{');
  if (brace && (name_ends(input.name, {".ndjson", ".jsonl"}) || type.find("ndjson") != std::string::npos ||
                type.find("jsonl") != std::string::npos || looks_like_ndjson(body))) {
    return Format::ndjson;
  }
  const bool says_csv = name_ends(input.name, {".csv", ".tsv"}) || type.find("csv") != std::string::npos;
  if (!says_csv && (brace || body.starts_with('['))) return Format::json;
  if (!says_csv && (name_ends(input.name, {".json"}) || type.find("json") != std::string::npos))
    return Format::json;
  return Format::csv;
}

// The start of the source, read on until `enough` says so, the source ends or the limit is reached.
struct Start {
  OpenedText text;
  std::string bytes;
  bool whole = false;
};
Result<Start> read_start(const Input& input, std::optional<Encoding> encoding, std::size_t size) {
  Start start;
  SLUICE_TRY(start.text, open_text(input, encoding));
  start.bytes.resize(size);
  SLUICE_TRY(const std::size_t got, read_fully(*start.text.bytes, start.bytes));
  start.whole = got < size;
  start.bytes.resize(got);
  start.bytes.append(kPadding, '\0');
  return start;
}
std::string_view bytes_of(const Start& start) {
  return std::string_view(start.bytes).substr(0, start.bytes.size() - kPadding);
}

// The start without the bytes of a character that it cuts in two.
std::string_view whole_characters(const Start& start) {
  auto text = bytes_of(start);
  if (start.whole) return text;
  for (std::size_t cut = 0; cut < 3 && !text.empty() && (text.back() & 0xC0) == 0x80; ++cut)
    text.remove_suffix(1);
  if (!text.empty() && (text.back() & 0xC0) == 0xC0) text.remove_suffix(1);
  return text;
}

// Reads a source of NULs on to its end: a decompression bomb is to be called one.
Result<void> judge_size(const Input& input) {
  SLUICE_TRY(auto opened, open_bytes(input));
  std::vector<char> buffer(256 * 1024);
  for (std::size_t read = 0; read < (64u << 20);) {
    SLUICE_TRY(const std::size_t got, opened.bytes->read(buffer));
    if (got == 0) break;
    read += got;
  }
  return {};
}

// Decodes up to 1,000 records with an empty schema: every field is a new one, and observed.
Result<void> sample(Decoder& decoder, Probe& probe, std::stop_token stop) {
  RowBatch batch;
  while (probe.sampled_records < kSampledRecords) {
    SLUICE_TRY(const bool more, decoder.next(batch, stop));
    probe.sampled_rejects += batch.rejected;
    if (!more) {
      probe.complete = true;
      break;
    }
    probe.sampled_records += batch.rows();
  }
  probe.columns = decoder.findings().new_fields;
  return {};
}

OpenOptions sampling() {
  OpenOptions options;
  options.batch_rows = kSampledRecords;
  options.keep_raw = false;
  return options;
}

std::string list_of(const std::vector<RecordsCandidate>& candidates) {
  std::string list;
  for (const auto& candidate : candidates) list += (list.empty() ? "" : ", ") + candidate.path;
  return list;
}

// The one array that holds the records. Nothing: it is several objects, one behind the other, so ndjson with
// a first line too long to be seen as such.
Result<std::optional<std::string>> find_records(const Input& input, std::stop_token stop) {
  SLUICE_TRY(const auto look, look_through(input, std::move(stop)));
  if (look.several_values) return std::nullopt;
  std::vector<RecordsCandidate> full;
  for (const auto& candidate : look.candidates) {
    if (!candidate.empty) full.push_back(candidate);
  }
  if (full.size() == 1) return full.front().path;
  if (full.size() > 1) {
    return fail(ErrorCode::invalid_definition,
                fmt::format("several arrays could be the records: {}; state one as records:", list_of(full)));
  }
  if (look.candidates.size() == 1) return look.candidates.front().path;
  if (look.top_is_object) return "$";
  return fail(ErrorCode::malformed, "the JSON holds no array of objects and is no object itself");
}

Result<void> probe_json_columns(const Input& input, const DecodeSpec& spec, std::stop_token stop,
                                Probe& probe) {
  probe.records_found = trim(spec.records).empty();
  if (probe.records_found) {
    SLUICE_TRY(auto found, find_records(input, stop));
    if (!found && spec.format == Format::automatic) {
      probe.format = Format::ndjson;
      SLUICE_TRY(const auto lines, open_ndjson(input, std::make_shared<Schema>(), sampling()));
      return sample(*lines, probe, stop);
    }
    if (!found) {
      return fail(ErrorCode::malformed,
                  "there are several JSON values, one behind the other; state format: ndjson");
    }
    probe.records = std::move(*found);
  } else {
    probe.records = std::string(trim(spec.records));
    if (!probe.records.starts_with('$')) {
      probe.records = (probe.records.starts_with('[') ? "$" : "$.") + probe.records;
    }
  }
  SLUICE_TRY(const auto decoder, open_json(input, probe, std::make_shared<Schema>(), sampling()));
  return sample(*decoder, probe, stop);
}

// The dialect and the columns of a CSV source that begins as `start` says.
Result<Probe> probe_csv_columns(const Input& input, const DecodeSpec& spec, std::optional<Encoding> encoding,
                                Start start, std::stop_token stop) {
  const auto stated = to_lower(spec.csv.encoding);
  const bool assumed = (stated.empty() || stated == "auto") && !start.text.marked;
  if (assumed && start.text.encoding == Encoding::utf8 && !valid_utf8(whole_characters(start))) {
    SLUICE_TRY(encoding, guess_encoding(input, stop));
    SLUICE_TRY(start, read_start(input, encoding, kSniffed));
  }
  for (;;) {
    // A first record longer than the sample: read more before giving up.
    for (std::size_t size = kSniffed;
         !start.whole && bytes_of(start).find_first_of("\r\n") == std::string_view::npos;) {
      size *= 4;
      if (size > kLargestSniffed)
        return fail(ErrorCode::too_large, "the first line is longer than 64 MiB; is this CSV?");
      SLUICE_TRY(start, read_start(input, encoding, size));
    }
    SLUICE_TRY(Probe probe, probe_csv({bytes_of(start), start.whole}, spec.csv, start.text.encoding));
    probe.csv.encoding_assumed = assumed;
    SLUICE_TRY(const auto decoder, open_csv(input, probe.csv, std::make_shared<Schema>(), sampling()));
    SLUICE_CHECK(sample(*decoder, probe, stop));
    if (const auto other = decoder->findings().encoding) {
      encoding = other;
      SLUICE_TRY(start, read_start(input, encoding, kSniffed));
      continue;
    }
    // A header without records still names the columns.
    if (probe.columns.empty()) {
      for (const auto& name : probe.csv.names)
        probe.columns.push_back({name, ValueType::text, 0, 0, true, true, {}});
    }
    return probe;
  }
}

Result<Probe> probe_text(const Input& input, const DecodeSpec& spec, std::stop_token stop) {
  std::optional<Encoding> encoding;
  if (spec.format == Format::csv || spec.format == Format::automatic) {
    SLUICE_TRY(encoding, encoding_from(spec.csv.encoding));
  }
  SLUICE_TRY(auto start, read_start(input, encoding, kSniffed));
  const auto text = bytes_of(start);
  const auto compression = start.text.compression;
  if (text.size() > 262 && text.substr(257, 5) == "ustar") {
    return fail(ErrorCode::unsupported, "this is a tar archive; pack one file with gzip or zstd instead");
  }
  if (text.starts_with('\0') && start.text.compression != Compression::none) SLUICE_CHECK(judge_size(input));
  Format format = spec.format;
  if (format == Format::automatic) {
    SLUICE_TRY(format, find_format(input, text));
  } else if (format != Format::csv) {
    const auto body = without_space(text);
    if (body.starts_with('<')) return markup(input, body);
    if (body.empty() && format == Format::json) return empty(input);
  } else if (without_space(text).empty() && start.whole && spec.csv.header != false) {
    return empty(input);
  } else if (to_lower(without_space(text).substr(0, 15)).starts_with("<!doctype html") ||
             to_lower(without_space(text).substr(0, 5)) == "<html") {
    return markup(input, without_space(text));
  }
  Probe probe;
  if (format == Format::csv) {
    SLUICE_TRY(probe, probe_csv_columns(input, spec, encoding, std::move(start), stop));
  } else if (format == Format::json) {
    probe.format = Format::json;
    SLUICE_CHECK(probe_json_columns(input, spec, stop, probe));
  } else {
    probe.format = Format::ndjson;
    SLUICE_TRY(const auto decoder, open_ndjson(input, std::make_shared<Schema>(), sampling()));
    SLUICE_CHECK(sample(*decoder, probe, stop));
  }
  probe.compression = to_string(compression);
  return probe;
}

// "a.csv: a.csv: …" says it twice: what a decoder of ours already named stays as it is.
std::unexpected<Error> named(const Input& input, Error error) {
  if (error.where.starts_with(input.name)) return std::unexpected(std::move(error));
  return fail_within(input.name, std::move(error));
}

}  // namespace

Result<bool> is_empty(const Input& input) {
  auto start = read_start(input, std::nullopt, 64 * 1024);
  if (!start) return named(input, std::move(start).error());
  return start->whole && without_space(bytes_of(*start)).empty();
}

Result<Probe> probe(const Input& input, const DecodeSpec& spec, std::stop_token stop) {
  auto found = probe_text(input, spec, stop);
  if (!found) return named(input, std::move(found).error());
  return found;
}

Result<std::unique_ptr<Decoder>> open(const Input& input, const DecodeSpec& spec, const Probe& probe,
                                      SchemaPtr schema, OpenOptions options, std::stop_token stop) {
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped before decoding");
  Probe chosen = probe;
  if (chosen.format == Format::automatic) chosen.format = spec.format;
  auto decoder = [&]() -> Result<std::unique_ptr<Decoder>> {
    switch (chosen.format) {
      case Format::csv:
        return open_csv(input, chosen.csv, std::move(schema), std::move(options));
      case Format::json:
        return open_json(input, chosen, std::move(schema), std::move(options));
      case Format::ndjson:
        return open_ndjson(input, std::move(schema), std::move(options));
      case Format::automatic:
        break;
    }
    return fail(ErrorCode::invalid_argument, "the format is not known yet: probe the source first");
  }();
  if (!decoder) return named(input, std::move(decoder).error());
  return decoder;
}

}  // namespace sluice::decode
