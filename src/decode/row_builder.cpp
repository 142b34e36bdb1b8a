#include "decode/row_builder.h"

#include "base/text.h"
#include "decode/utf8.h"
#include "model/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace sluice::decode {
namespace {
constexpr std::size_t kMostNewFields = 10'000;

bool is_number(ValueType type) {
  return type == ValueType::int64 || type == ValueType::decimal || type == ValueType::real;
}

// Of an inferred column of doubles: nothing is rounded.
bool exact_in_double(std::string_view text, Written written, char decimal) {
  const auto kind = kind_of(text, written == Written::quoted ? Written::plain : written, decimal);
  return is_number(kind.type) && kind.in_double;
}
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
  if (code == "invalidUtf8")
    return "the text is not valid UTF-8; if the source is written in another encoding, state it: csv: "
           "{encoding: windows-1252}";
  if (code == "nulByte") return "the text holds a NUL byte";
  return fmt::format("{} is not {} {}", excerpt(text), type == "int64" ? "an" : "a", type);
}

RowBuilder::RowBuilder(const Input& input, SchemaPtr schema, OpenOptions options)
    : input_(input),
      schema_(std::move(schema)),
      options_(std::move(options)),
      widened_(schema_->columns.size()),
      found_(schema_->columns.size()) {
  options_.batch_rows = std::max<std::size_t>(options_.batch_rows, 1);
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    const auto& column = schema_->columns[i];
    const bool strict = i >= options_.strict.size() || options_.strict[i];
    plans_.push_back({column.type, strict ? Rule::declared : Rule::exact, column.precision, column.scale,
                      strict, schema_->is_key(i), column.required, column.wide});
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
                       Written written, bool copy, char decimal) {
  const auto& plan = plans_[column];
  auto& data = batch.columns()[column];
  data.null[row] = 1;  // a repeated key may have left a value here
  if (plan.type == ValueType::text) {
    if (plan.key && !plan.strict) {
      store_key_text(batch, column, row, text, written, copy);
    } else {
      store_bytes(batch, column, row, text, copy);
    }
    return true;
  }
  if (text.empty()) return true;
  const auto unfit = [&](Misfit why) {
    return misfit(column, row, text, kind_of(text, written, decimal), code_of(why));
  };
  const auto fixed = [&](auto parsed, auto value) {
    if (!parsed) return unfit(parsed.misfit);
    data.fixed[row] = value;
    data.null[row] = 0;
    return true;
  };
  const auto rule = !plan.strict && written == Written::literal ? Rule::literal : plan.rule;
  // A string of JSON is no number, whatever is in it; nor is 1.5E3 in quotes.
  if (!plan.strict && written == Written::quoted && is_number(plan.type) &&
      text.find_first_of("eE") != std::string_view::npos) {
    return unfit(Misfit::not_a_number);
  }
  if (!plan.strict && written == Written::string &&
      (is_number(plan.type) || plan.type == ValueType::boolean)) {
    return unfit(Misfit::not_a_number);
  }
  switch (plan.type) {
    case ValueType::boolean: {
      const auto parsed = parse_boolean(text, rule);
      return fixed(parsed, parsed.value ? 1 : 0);
    }
    case ValueType::int64: {
      const auto parsed = parse_int64(text, rule, decimal);
      return fixed(parsed, parsed.value);
    }
    case ValueType::real: {
      if (!plan.strict && !exact_in_double(text, written, decimal)) return unfit(Misfit::out_of_range);
      const auto parsed = parse_real(text, decimal);
      return fixed(parsed, std::bit_cast<std::int64_t>(parsed.value));
    }
    case ValueType::date: {
      const auto parsed = parse_date(text, rule);
      return fixed(parsed, parsed.value);
    }
    case ValueType::timestamp: {
      const auto parsed = parse_timestamp(text, rule);
      return fixed(parsed, parsed.value);
    }
    case ValueType::decimal: {
      const auto parsed = parse_decimal(text, rule, {plan.precision, plan.scale, decimal}, scratch_);
      if (!parsed) return unfit(parsed.misfit);
      if (!plan.wide && !sql_number_holds(parsed.value)) {
        too_wide(column, parsed.value);
        return true;
      }
      const bool own = copy || parsed.value.data() == scratch_.data();
      store_bytes(batch, column, row, parsed.value, own);
      return true;
    }
    case ValueType::json: {
      const auto canonical = canonical_json(text);
      if (!canonical) return misfit(column, row, text, Kind{}, code_of(Misfit::not_json));
      store_bytes(batch, column, row, *canonical, true);
      return true;
    }
    case ValueType::text:
      break;
  }
  return true;
}

void RowBuilder::store_key_text(RowBatch& batch, std::size_t column, std::size_t row, std::string_view text,
                                Written written, bool copy) {
  if (written == Written::literal) {
    if (const auto number = parse_number(text))
      return store_bytes(batch, column, row, number_text(*number), true);
  } else if (written == Written::plain) {
    const auto kind = kind_of(text, written);
    if (kind.type != ValueType::text) text = trim(text);
    if (kind.type == ValueType::int64 && kind.integer_digits == 1 && text == "-0") text = "0";
  }
  store_bytes(batch, column, row, text, copy);
}

bool RowBuilder::misfit(std::size_t column, std::size_t row, std::string_view text, Kind kind,
                        std::string_view code) {
  const auto& plan = plans_[column];
  if (plan.strict) {
    reject(row, {RejectStage::type, code, static_cast<int>(column), misfit_message(plan, text, code)});
    return false;
  }
  // Text that has this column's own type by its spelling, yet did not fit, fits nothing narrower than text.
  if (kind.type == plan.type && plan.type != ValueType::decimal) kind = {};
  find(column, kind);
  return true;
}

void RowBuilder::too_wide(std::size_t column, std::string_view decimal) {
  const auto number = parse_number(decimal);
  Kind kind{.type = ValueType::decimal, .in_double = false, .wide = true};
  kind.integer_digits = number ? static_cast<int>(number->integer_digits()) : 0;
  kind.scale = number ? static_cast<int>(number->fraction_digits()) : 0;
  find(column, kind);
}

void RowBuilder::find(std::size_t column, Kind kind) {
  const auto& plan = plans_[column];
  auto& inference = widened_[column];
  if (!found_[column]) {
    found_[column] = true;
    Observed present;
    present.type = plan.type;
    present.precision = plan.precision;
    present.scale = plan.scale;
    present.wide = plan.wide;
    present.all_null = false;
    inference.add_observed(present);
  }
  inference.add(kind);
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
      if (null[r] == 0 || found_[c]) continue;  // it is read again
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
  bad.reserve(problems_.size());
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

void RowBuilder::new_field(std::string_view name, std::string_view text, Written written, char decimal) {
  field(name).add_text(text, written, decimal);
}
void RowBuilder::new_field(std::string_view name, Kind kind) { field(name).add(kind); }
void RowBuilder::new_field_null(std::string_view name) { field(name).add_null(); }

void RowBuilder::settle_findings() {
  findings_.new_fields.clear();
  findings_.misfits.clear();
  for (const auto& field : new_fields_) {
    auto& observed = findings_.new_fields.emplace_back(field.inference.result(field.name));
    observed.nullable = observed.nullable || field.seen < records_;
  }
  for (std::size_t c = 0; c < plans_.size(); ++c) {
    if (found_[c]) findings_.misfits.emplace_back(c, widened_[c].result(schema_->columns[c].from));
  }
}

}  // namespace sluice::decode
