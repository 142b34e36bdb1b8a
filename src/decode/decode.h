// Bytes of one pinned source -> typed row batches (json, ndjson, csv).
//
// probe() looks at the start of a source: compression, format, where the records are, their fields and types.
// The caller turns that into a schema; open() then reads the whole source with it. Memory stays at a few
// blocks however large the source is; nothing is mapped.
//
// A record that does not fit becomes a Reject inside the batch and costs nothing else. Bytes that stop in the
// middle are ErrorCode::truncated (retryable), never "fewer rows". Promises: DESIGN, section 4.
#pragma once

#include "base/error.h"
#include "base/file.h"
#include "model/row_batch.h"
#include "model/schema.h"
#include "model/spec.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::decode {

// One pinned file. It is read through read_at only, so one handle may serve several readers at a time.
struct Input {
  std::shared_ptr<const FileHandle> file;
  std::string name;                      // for messages and as a format hint: "rates-1.csv.gz", a masked URL
  std::string content_type;              // hint, may be empty
  std::size_t source = 0;                // index into LoaderSpec::sources, for rejects
  bool local_file = false;               // a file of this machine: what it lacks, another try does not bring
  std::uint64_t max_bytes = 4ull << 30;  // decoded size cap
  double max_ratio = 200;                // decoded : compressed, judged from 16 MiB of decoded bytes on
};

enum class Encoding : std::uint8_t { utf8, utf16le, utf16be, windows1252, latin1 };
std::string_view to_string(Encoding encoding);  // as definitions spell it: "windows-1252"

// How a CSV source is written. Line ends are LF (with or without CR), or CR alone where a file has no LF.
struct CsvDialect {
  char delimiter = ',';
  char quote = '"';  // '\0' = no quoting
  char line_end = '\n';
  bool header = true;
  int skip_lines = 0;
  Encoding encoding = Encoding::utf8;
  bool encoding_assumed = false;  // neither stated nor marked in the source: concluded from its bytes
  char decimal = '.';
  std::optional<std::string> null;  // this unquoted text is NULL, besides the empty field
  bool trailing_delimiter = false;  // every row ends in one delimiter too many
  // Field names in file order. Empty names become column1, column2, … by position; a repeated name gets _2,
  // _3.
  std::vector<std::string> names;
};

// What a JSON field is called whose name is empty: no column and no path could stand for "".
inline constexpr std::string_view kUnnamedField = "unnamed";

// What was seen of one field. `type` is text when values disagree, and text for a field that was only ever
// ''.
struct Observed {
  std::string name;                  // as in the source: a header name, or a key of the record object
  ValueType type = ValueType::text;  // meaningless while all_null
  int precision = 0;                 // decimal only
  int scale = 0;
  bool nullable = false;  // NULL or missing in some record
  bool all_null = true;   // no value yet: the column is deferred until one is seen
  std::string note;       // why a type was not narrowed, for `infer`: "03/04/05 may be day or month first"
  bool in_double = true;  // numbers: doubles hold all of them exactly
  bool wide = false;      // decimal: Column::wide
};

struct Probe {
  Format format = Format::automatic;  // json, ndjson or csv
  std::string records;                // json: normalised path, "$" or "$.data.items"
  bool records_found = false;         // json: the path was found by looking, not stated
  CsvDialect csv;
  std::vector<Observed> columns;      // in order of first appearance
  std::uint64_t sampled_records = 0;  // at most 1,000
  std::uint64_t sampled_rejects = 0;  // records among the first that could not be read
  bool complete = false;              // the sample is the whole source
  std::string compression;            // "", "gzip", "zstd", "zip"
};

// Whether there is not one byte in it but blanks, once unpacked.
Result<bool> is_empty(const Input& input);

// Looks at the first 1,000 records (bounded bytes); the whole source where its encoding is in doubt. Errors:
// malformed, truncated, too_large, unauthorized (an HTML page where records were expected), unsupported,
// invalid_definition (several arrays could be the records).
Result<Probe> probe(const Input& input, const DecodeSpec& spec, std::stop_token stop);

// What a pass over the source found that its schema does not say. Complete once next() returned false.
struct Findings {
  std::vector<Observed> new_fields;  // in the data, but neither in the schema nor among the ignored fields
  // Columns whose type was too narrow: (index in the schema, the type that holds both). The values in
  // question were decoded as NULL; widen the column and read again. Declared decimals too, where a value
  // needs Column::wide.
  std::vector<std::pair<std::size_t, Observed>> misfits;
  // The source is written in another encoding than assumed so far (CSV): nothing of this pass counts, set
  // CsvDialect::encoding to this one and read again. Decided from the whole source, at the first byte that is
  // not UTF-8, so that it is read in one encoding from its first byte to its last.
  std::optional<Encoding> encoding;
};

struct OpenOptions {
  // Per column (missing = true). True: a value that does not fit rejects the record, and all reasonable
  // spellings of the type are accepted (the type was declared). False: only spellings that inference gives
  // this type to are accepted, and quoted numbers in CSV; anything else is NULL for now and reported in
  // Findings::misfits. Text keys then hold each number of JSON in one spelling (number_text), and integers of
  // CSV without the blanks around them.
  std::vector<bool> strict;
  std::vector<std::string> ignored_fields;   // known and not wanted: not reported as new
  bool ignore_new_fields = false;            // report no new field at all
  bool case_insensitive_fields = false;      // field names match Column::from without case (ASCII)
  std::size_t reject_cap = 1000;             // most Reject objects in all; RowBatch::rejected stays exact
  bool keep_raw = true;                      // keep the record's own text in Reject::raw (at most 64 KiB)
  std::size_t batch_rows = 8192;             // most rows a batch
  std::size_t block_bytes = 512 * 1024;      // read size; grows for a record that is larger
  std::size_t max_record_bytes = 64u << 20;  // a larger record is rejected unread
};

// Reads every record once. A record with NULL in a key column is rejected (stage key, missingKey), with NULL
// in a required column too (stage check, missingValue). Bytes of a batch are valid until it is cleared. One
// thread.
class Decoder : public RowReader {
 public:
  virtual const Findings& findings() const = 0;
  virtual std::uint64_t bytes_read()
      const = 0;  // of the file as stored (compressed), for progress; any thread
};

// Column::from is the field name or a dotted path into nested objects; a field whose name holds the dot wins.
// `probe` must be of this input, or of one written alike (format, dialect and record path are taken from it;
// for CSV the names too).
Result<std::unique_ptr<Decoder>> open(const Input& input, const DecodeSpec& spec, const Probe& probe,
                                      SchemaPtr schema, OpenOptions options, std::stop_token stop);

// Decodes on a thread of its own, at most `depth` batches ahead; batches are swapped, not copied. Its
// destructor stops and joins the thread. findings() may be called once next() has returned false.
std::unique_ptr<Decoder> read_ahead(std::unique_ptr<Decoder> decoder, std::size_t depth = 2);

}  // namespace sluice::decode
