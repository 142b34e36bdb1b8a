// What all decoders share: turning bad values into rejects or findings, and a block's columns into a batch.
#pragma once

#include "decode/convert.h"
#include "decode/infer.h"
#include "model/row_batch.h"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::decode {

inline constexpr std::size_t kRawBytes = 64 * 1024;  // most of a record that a reject keeps

// How one schema column is converted.
struct ColumnPlan {
  ValueType type = ValueType::text;
  Rule rule = Rule::declared;
  int precision = 0;
  int scale = 0;
  bool strict = true;
  bool key = false;
  bool required = false;
  bool wide = false;  // decimal: Column::wide
};

// What is wrong with one record; the first problem found counts.
struct Problem {
  RejectStage stage = RejectStage::decode;
  std::string_view code;  // a literal
  int column = -1;        // index in the schema, -1 = the whole record
  std::string message;
};

class RowBuilder {
 public:
  RowBuilder(const Input& input, SchemaPtr schema, OpenOptions options);

  const Schema& schema() const { return *schema_; }
  const SchemaPtr& schema_ptr() const { return schema_; }
  const std::vector<ColumnPlan>& plans() const { return plans_; }
  const OpenOptions& options() const { return options_; }
  const Input& input() const { return input_; }
  const Findings& findings() const { return findings_; }

  // Empties the batch and gives each column `rows` entries, all NULL.
  void begin(RowBatch& batch, std::size_t rows);
  // Stores one value given as text; false = a problem of this row. '' is NULL for all but text. `copy`: the
  // text does not outlive the call.
  bool store(RowBatch& batch, std::size_t column, std::size_t row, std::string_view text, Written written,
             bool copy, char decimal = '.');
  void store_bytes(RowBatch& batch, std::size_t column, std::size_t row, std::string_view text, bool copy);
  // Notes that a value did not fit: a finding where the column may widen (returns true: the value is NULL for
  // now), else a problem of this row (returns false).
  bool misfit(std::size_t column, std::size_t row, std::string_view text, Kind kind, std::string_view code);
  void reject(std::size_t row, Problem problem);
  // A record that broke half-way may have left values and problems in a row that the next one gets.
  void forget_row(RowBatch& batch, std::size_t row);

  // Checks keys and required columns, takes bad rows out and fills ordinals. `describe` gives locator and raw
  // text of a row of this batch; row r is record `first` + r, unless `ordinals` says otherwise.
  struct Described {
    std::string locator;
    std::string_view raw;
  };
  void finish(RowBatch& batch, const std::vector<std::uint64_t>& ordinals,
              const std::function<Described(std::size_t)>& describe);
  // A record that never got a row.
  void reject_record(RowBatch& batch, std::uint64_t ordinal, Problem problem, const Described& described);

  void new_field(std::string_view name, std::string_view text, Written written, char decimal);
  void new_field(std::string_view name, Kind kind);
  void new_field_null(std::string_view name);
  void read_again_as(Encoding encoding) { findings_.encoding = encoding; }

 private:
  struct NewField {
    std::string name;
    Inference inference;
    std::uint64_t seen = 0;
  };
  // The text of a key whose type was inferred: numbers that were keys before the column became text, and all
  // numbers of JSON, have one spelling.
  void store_key_text(RowBatch& batch, std::size_t column, std::size_t row, std::string_view text,
                      Written written, bool copy);
  // A decimal that SQL numbers do not hold exactly: a finding, whether or not the type was declared.
  void too_wide(std::size_t column, std::string_view decimal);
  void find(std::size_t column, Kind kind);
  void settle_findings();
  Inference& field(std::string_view name);

  Input input_;
  SchemaPtr schema_;
  OpenOptions options_;
  std::vector<ColumnPlan> plans_;
  std::unordered_map<std::size_t, Problem> problems_;
  std::string scratch_;
  std::size_t rejects_kept_ = 0;
  std::vector<NewField> new_fields_;
  std::uint64_t records_ = 0;
  std::vector<Inference> widened_;  // per column; only those in found_ count
  std::vector<bool> found_;
  Findings findings_;
};

// "abc" for messages: quoted, printable and short.
std::string excerpt(std::string_view text);
std::string misfit_message(const ColumnPlan& plan, std::string_view text, std::string_view code);

}  // namespace sluice::decode
