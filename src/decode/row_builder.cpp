#include "decode/row_builder.h"

#include "base/text.h"
#include "decode/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace sluice::decode {
namespace {
constexpr std::size_t kRawBytes = 64 * 1024;
constexpr std::size_t kMostNewFields = 10'000;
}  // namespace

std::string excerpt(std::string_view text) {
  return '"' + printable(text.substr(0, 60), 60) + (text.size() > 60 ? "…\"" : "\"");
}

std::string misfit_message(const ColumnPlan& plan, std::string_view text, std::string_view code) {
  const auto type = plan.type == ValueType::decimal && plan.precision > 0
                        ? fmt::format("decimal({},{})", plan.precision, plan.scale)
                        : std::string(to_string(plan.type));
  if (code == code_of(Misfit::out_of_range))
    return fmt::format("{} is out of range for {}", excerpt(text), type);
  if (code == code_of(Misfit::too_many_decimals)) {
    return fmt::format("{} has more decimals than {} holds", excerpt(text), type);
  }
  if (code == "invalidUtf8") return "the text is not valid UTF-8; state the encoding (windows-1252?)";
  if (code == "nulByte") return "the text holds a NUL byte";
  return fmt::format("{} is not {} {}", excerpt(text), type == "int64" ? "an" : "a", type);
}

RowBuilder::RowBuilder(const Input& input, SchemaPtr schema, OpenOptions options)
    : input_(input),
      schema_(std::move(schema)),
      options_(std::move(options)),
      widened_(schema_->columns.size()),
      misfit_seen_(schema_->columns.size()) {
  options_.batch_rows = std::max<std::size_t>(options_.batch_rows, 1);
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    const auto& column = schema_->columns[i];
    const bool strict = i >= options_.strict.size() || options_.strict[i];
    plans_.push_back({column.type, strict ? Rule::declared : Rule::exact, column.precision, column.scale,
                      strict, schema_->is_key(i), column.required});
  }
}

void RowBuilder::begin(RowBatch& batch, std::size_t rows) {
  batch.reset(schema_);
  batch.source = input_.source;
  problems_.clear();
  for (auto& column : batch.columns()) {
    column.null.assign(rows, 1);
    if (is_fixed(column.type)) {
      column.fixed.assign(rows, 0);
    } else {
      column.bytes.assign(rows, std::string_view());
    }
  }
}

void RowBuilder::store_bytes(RowBatch& batch, std::size_t column, std::size_t row, std::string_view text,
                             bool copy) {
  auto& data = batch.columns()[column];
  data.bytes[row] = copy ? batch.arena().store(text) : text;
  data.null[row] = 0;
}

bool RowBuilder::store(RowBatch& batch, std::size_t column, std::size_t row, std::string_view text,
                       bool quoted, bool copy, char decimal) {
  const auto& plan = plans_[column];
  auto& data = batch.columns()[column];
  data.null[row] = 1;  // a repeated key may have left a value here
  const auto fixed = [&](auto parsed, auto value) {
    if (!parsed) return misfit(column, row, text, kind_of(text, quoted, decimal), code_of(parsed.misfit));
    data.fixed[row] = value;
    data.null[row] = 0;
    return true;
  };
  if (plan.type == ValueType::text) {
    store_bytes(batch, column, row, text, copy);
    return true;
  }
  if (text.empty()) return true;
  switch (plan.type) {
    case ValueType::boolean: {
      const auto parsed = parse_boolean(text, plan.rule);
      return fixed(parsed, parsed.value ? 1 : 0);
    }
    case ValueType::int64: {
      const auto parsed = parse_int64(text, plan.rule);
      return fixed(parsed, parsed.value);
    }
    case ValueType::real: {
      const auto parsed = parse_real(text, decimal);
      return fixed(parsed, std::bit_cast<std::int64_t>(parsed.value));
    }
    case ValueType::date: {
      const auto parsed = parse_date(text, plan.rule);
      return fixed(parsed, parsed.value);
    }
    case ValueType::timestamp: {
      const auto parsed = parse_timestamp(text, plan.rule);
      return fixed(parsed, parsed.value);
    }
    case ValueType::decimal: {
      const auto parsed = parse_decimal(text, plan.rule, {plan.precision, plan.scale, decimal}, scratch_);
      if (!parsed) return misfit(column, row, text, kind_of(text, quoted, decimal), code_of(parsed.misfit));
      const bool own = copy || parsed.value.data() == scratch_.data();
      store_bytes(batch, column, row, parsed.value, own);
      return true;
    }
    case ValueType::json: {
      const auto canonical = canonical_json(text);
      if (!canonical) return misfit(column, row, text, kind_of(text, true), code_of(Misfit::not_json));
      store_bytes(batch, column, row, *canonical, true);
      return true;
    }
    case ValueType::text:
      break;
  }
  return true;
}

bool RowBuilder::misfit(std::size_t column, std::size_t row, std::string_view text, Kind kind,
                        std::string_view code) {
  const auto& plan = plans_[column];
  if (plan.strict) {
    reject(row, {RejectStage::type, code, static_cast<int>(column), misfit_message(plan, text, code)});
    return false;
  }
  if (!misfit_seen_[column]) {
    misfit_seen_[column] = true;
    auto& inference = widened_[column];
    const auto precision = plan.type == ValueType::int64 ? 18 : plan.precision;
    inference.add({plan.type, precision - plan.scale, plan.scale});
  }
  // Text that has this column's own type by its spelling, yet did not fit, fits nothing narrower than text.
  if (kind.type == plan.type && plan.type != ValueType::decimal) kind = {};
  widened_[column].add(kind);
  return true;
}

void RowBuilder::forget_row(RowBatch& batch, std::size_t row) {
  for (auto& column : batch.columns()) {
    column.null[row] = 1;
    if (is_fixed(column.type)) {
      column.fixed[row] = 0;
    } else {
      column.bytes[row] = {};
    }
  }
  problems_.erase(row);
}

void RowBuilder::reject(std::size_t row, Problem problem) { problems_.try_emplace(row, std::move(problem)); }

void RowBuilder::reject_record(RowBatch& batch, std::uint64_t ordinal, Problem problem,
                               const Described& described) {
  ++batch.rejected;
  if (rejects_kept_ >= options_.reject_cap) return;
  ++rejects_kept_;
  Reject reject;
  reject.stage = problem.stage;
  reject.source = input_.source;
  reject.ordinal = ordinal;
  reject.locator = described.locator;
  reject.code = problem.code;
  if (problem.column >= 0) reject.column = schema_->columns[static_cast<std::size_t>(problem.column)].name;
  reject.message = std::move(problem.message);
  if (options_.keep_raw) reject.raw = described.raw.substr(0, kRawBytes);
  batch.rejects.push_back(std::move(reject));
}

void RowBuilder::finish(RowBatch& batch, const std::vector<std::uint64_t>& ordinals,
                        const std::function<Described(std::size_t)>& describe) {
  auto& columns = batch.columns();
  for (auto& column : columns) {  // fewer records than the room made for them
    column.null.resize(ordinals.size());
    if (is_fixed(column.type)) {
      column.fixed.resize(ordinals.size());
    } else {
      column.bytes.resize(ordinals.size());
    }
  }
  records_ += ordinals.size();
  settle_findings();
  for (std::size_t c = 0; c < plans_.size(); ++c) {
    if (!plans_[c].key && !plans_[c].required) continue;
    const auto& null = columns[c].null;
    for (std::size_t r = 0; r < null.size(); ++r) {
      if (null[r] == 0 || (!plans_[c].strict && misfit_seen_[c])) continue;
      const auto& name = schema_->columns[c].name;
      reject(r, plans_[c].key ? Problem{RejectStage::key, "missingKey", static_cast<int>(c),
                                        fmt::format("key column {} has no value", name)}
                              : Problem{RejectStage::check, "missingValue", static_cast<int>(c),
                                        fmt::format("required column {} has no value", name)});
    }
  }
  batch.ordinals = ordinals;
  if (problems_.empty()) return;

  std::vector<std::size_t> bad;
  for (const auto& [row, problem] : problems_) bad.push_back(row);
  std::sort(bad.begin(), bad.end());
  const bool keyed = !schema_->key.empty();
  for (const auto row : bad) {
    auto& problem = problems_.at(row);
    const bool key_known = keyed && std::all_of(schema_->key.begin(), schema_->key.end(),
                                                [&](std::size_t key) { return columns[key].null[row] == 0; });
    if (key_known) {
      if (!batch.rejected_keys) batch.rejected_keys = std::make_unique<RowBatch>(schema_);
      auto& keys = *batch.rejected_keys;
      for (std::size_t c = 0; c < columns.size(); ++c) {
        auto& to = keys.columns()[c];
        if (!plans_[c].key) {
          to.push_null();
        } else if (is_fixed(to.type)) {
          to.push_fixed(columns[c].fixed[row]);
        } else {
          to.push_bytes(keys.arena().store(columns[c].bytes[row]));
        }
      }
      keys.ordinals.push_back(ordinals[row]);
    }
    reject_record(batch, ordinals[row], std::move(problem), describe(row));
  }
  const auto drop = [&](auto& list) {
    if (list.empty()) return;
    auto next_bad = bad.begin();
    std::size_t to = 0;
    for (std::size_t from = 0; from < list.size(); ++from) {
      if (next_bad != bad.end() && *next_bad == from) {
        ++next_bad;
      } else {
        list[to++] = list[from];
      }
    }
    list.resize(to);
  };
  for (auto& column : columns) {
    drop(column.null);
    drop(column.fixed);
    drop(column.bytes);
  }
  drop(batch.ordinals);
  problems_.clear();
}

Inference& RowBuilder::field(std::string_view name) {
  const auto found =
      std::find_if(new_fields_.begin(), new_fields_.end(), [&](const NewField& f) { return f.name == name; });
  if (found != new_fields_.end()) {
    ++found->seen;
    return found->inference;
  }
  if (new_fields_.size() == kMostNewFields) return new_fields_.back().inference;
  return new_fields_.emplace_back(NewField{std::string(name), {}, 1}).inference;
}

void RowBuilder::new_field(std::string_view name, std::string_view text, bool quoted, char decimal) {
  field(name).add_text(text, quoted, decimal);
}
void RowBuilder::new_field(std::string_view name, Kind kind) { field(name).add(kind); }
void RowBuilder::new_field_null(std::string_view name) { field(name).add_null(); }

void RowBuilder::settle_findings() {
  findings_ = {};
  for (const auto& field : new_fields_) {
    auto& observed = findings_.new_fields.emplace_back(field.inference.result(field.name));
    observed.nullable = observed.nullable || field.seen < records_;
  }
  for (std::size_t c = 0; c < plans_.size(); ++c) {
    if (misfit_seen_[c]) findings_.misfits.emplace_back(c, widened_[c].result(schema_->columns[c].from));
  }
}

}  // namespace sluice::decode
