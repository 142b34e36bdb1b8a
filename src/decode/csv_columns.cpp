#include "decode/csv_columns.h"

#include "decode/utf8.h"

namespace sluice::decode {
namespace {

struct Column {
  const CsvRows& rows;
  const CsvDialect& dialect;
  std::size_t field;
  std::size_t column;
  RowBuilder& builder;
  RowBatch& batch;
};

bool is_null(std::string_view raw, const CsvDialect& dialect) {
  return raw.empty() || (dialect.null && raw == *dialect.null);
}

// Everything but the common case: quotes, NULL words, blanks, rare spellings, misfits.
void convert_slowly(const Column& c, std::size_t row, std::string_view raw) {
  if (is_null(raw, c.dialect)) return;
  std::string scratch;
  const auto field = unquote(raw, c.dialect.quote, scratch);
  if (field.bad_quotes) {
    c.builder.reject(row, {RejectStage::decode, "strayQuote", static_cast<int>(c.column),
                           "there is text after the closing quote; a quote inside quotes must be doubled"});
    return;
  }
  if (c.rows.suspicious && (has_nul(field.text) || !valid_utf8(field.text))) {
    const std::string_view code = has_nul(field.text) ? "nulByte" : "invalidUtf8";
    c.builder.reject(row, {RejectStage::decode, code, static_cast<int>(c.column),
                           misfit_message(c.builder.plans()[c.column], field.text, code)});
    return;
  }
  const bool copy = field.text.data() == scratch.data();
  const auto written = field.quoted ? Written::quoted : Written::plain;
  c.builder.store(c.batch, c.column, row, field.text, written, copy, c.dialect.decimal);
}

// What was the same integer key may have looked like: blanks around it, or -0.
bool may_be_respelled(std::string_view raw) {
  return static_cast<unsigned char>(raw.front()) <= ' ' || static_cast<unsigned char>(raw.back()) <= ' ' ||
         raw == "-0";
}

void convert_text(const Column& c) {
  auto& data = c.batch.columns()[c.column];
  std::uint8_t* const null = data.null.data();
  std::string_view* const bytes = data.bytes.data();
  const char quote = c.dialect.quote;
  const auto& plan = c.builder.plans()[c.column];
  const bool exact_key = plan.key && !plan.strict;
  const bool plain = !c.rows.suspicious && !c.dialect.null;
  const std::size_t n = c.rows.first_field.size();
  for (std::size_t r = 0; r < n; ++r) {
    const auto raw = c.rows.raw(r, c.field);
    if (raw.empty()) continue;
    if (plain && raw.front() != quote && !(exact_key && may_be_respelled(raw))) {
      bytes[r] = raw;
      null[r] = 0;
    } else {
      convert_slowly(c, r, raw);
    }
  }
}

template <class Parse>
void convert_fixed(const Column& c, Parse parse) {
  auto& data = c.batch.columns()[c.column];
  std::uint8_t* const null = data.null.data();
  std::int64_t* const fixed = data.fixed.data();
  const std::size_t n = c.rows.first_field.size();
  for (std::size_t r = 0; r < n; ++r) {
    const auto raw = c.rows.raw(r, c.field);
    if (raw.empty()) continue;
    const auto parsed = parse(raw);
    if (parsed && !c.dialect.null) {
      fixed[r] = parsed.value;
      null[r] = 0;
    } else {
      convert_slowly(c, r, raw);
    }
  }
}

// A plain decimal is stored as it stands in the block, less its trailing zeros. False: take the slow way, as
// for those that may be too wide (up to 15 digits never are).
bool plain_decimal(std::string_view raw, const ColumnPlan& plan, std::string_view& out) {
  const char* p = raw.data();
  const char* const end = p + raw.size();
  if (*p == '-') ++p;
  const char* const integer = p;
  while (p < end && static_cast<unsigned char>(*p - '0') < 10) ++p;
  const auto integer_digits = p - integer;
  if (integer_digits == 0 || integer_digits > 18 || (*integer == '0' && integer_digits > 1)) return false;
  const char* last = p;
  if (p < end && *p == '.') {
    const char* const fraction = ++p;
    while (p < end && static_cast<unsigned char>(*p - '0') < 10) ++p;
    if (p == fraction || p - fraction > 18) return false;
    last = p;
    while (last > fraction && last[-1] == '0') --last;
    if (plan.precision > 0 && last - fraction > plan.scale) return false;
    if (last == fraction) --last;  // the point too
  }
  if (p != end) return false;
  if (!plan.wide && last - integer > 16) return false;
  if (*integer == '0' && last - integer == 1) {
    out = {integer, 1};  // never "-0"
    return true;
  }
  if (plan.precision > 0 && integer_digits > plan.precision - plan.scale && *integer != '0') return false;
  out = raw.substr(0, raw.size() - static_cast<std::size_t>(end - last));
  return true;
}

void convert_decimal(const Column& c) {
  auto& data = c.batch.columns()[c.column];
  std::uint8_t* const null = data.null.data();
  std::string_view* const bytes = data.bytes.data();
  const auto& plan = c.builder.plans()[c.column];
  const bool plain = c.dialect.decimal == '.' && !c.dialect.null;
  const std::size_t n = c.rows.first_field.size();
  for (std::size_t r = 0; r < n; ++r) {
    const auto raw = c.rows.raw(r, c.field);
    if (raw.empty()) continue;
    if (plain && plain_decimal(raw, plan, bytes[r])) {
      null[r] = 0;
    } else {
      convert_slowly(c, r, raw);
    }
  }
}

}  // namespace

void convert_csv_column(const CsvRows& rows, const CsvDialect& dialect, std::size_t field, std::size_t column,
                        RowBuilder& builder, RowBatch& batch) {
  const Column c{rows, dialect, field, column, builder, batch};
  const auto rule = builder.plans()[column].rule;
  switch (builder.plans()[column].type) {
    case ValueType::text:
      return convert_text(c);
    case ValueType::int64:
      return convert_fixed(c, [&](std::string_view raw) { return parse_int64(raw, rule, dialect.decimal); });
    case ValueType::date:
      return convert_fixed(c, [&](std::string_view raw) { return parse_date(raw, rule); });
    case ValueType::timestamp:
      return convert_fixed(c, [&](std::string_view raw) { return parse_timestamp(raw, rule); });
    case ValueType::boolean:
      return convert_fixed(c, [&](std::string_view raw) { return parse_boolean(raw, rule); });
    case ValueType::decimal:
      return convert_decimal(c);
    case ValueType::real:
    case ValueType::json:
      for (std::size_t r = 0; r < rows.first_field.size(); ++r) convert_slowly(c, r, rows.raw(r, field));
  }
}

void observe_csv_column(const CsvRows& rows, const CsvDialect& dialect, std::size_t field,
                        std::string_view name, RowBuilder& builder) {
  std::string scratch;
  for (std::size_t r = 0; r < rows.first_field.size(); ++r) {
    const auto raw = rows.raw(r, field);
    if (is_null(raw, dialect)) {
      builder.new_field_null(name);
    } else {
      const auto value = unquote(raw, dialect.quote, scratch);
      builder.new_field(name, value.text, value.quoted ? Written::quoted : Written::plain, dialect.decimal);
    }
  }
}

}  // namespace sluice::decode
