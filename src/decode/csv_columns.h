// Typed conversion of the fields of one CSV column, many rows at a time.
#pragma once

#include "decode/csv_scan.h"
#include "decode/row_builder.h"

#include <cstdint>
#include <span>
#include <string>

namespace sluice::decode {

// The rows of one batch inside a scanned block.
struct CsvRows {
  const char* data = nullptr;
  const CsvIndex* index = nullptr;
  std::span<const std::uint32_t> first_field;  // per row: the number of its first field
  std::size_t fields = 0;                      // fields a row, for telling the last one
  bool suspicious = false;                     // the block holds NUL bytes or invalid UTF-8

  // Text of a field, without the CR that a line end may have in front.
  std::string_view raw(std::size_t row, std::size_t field) const {
    const std::uint32_t* const ends = index->ends.data() + first_field[row] + field;
    const std::uint32_t begin = ends[-1] + 1;
    std::uint32_t end = *ends;
    if (field + 1 >= fields && end > begin && data[end - 1] == '\r') --end;
    return {data + begin, end - begin};
  }
};

// Converts field number `field` of all rows into schema column `column` of the batch.
void convert_csv_column(const CsvRows& rows, const CsvDialect& dialect, std::size_t field, std::size_t column,
                        RowBuilder& builder, RowBatch& batch);

// Collects what a column that is in no schema holds.
void observe_csv_column(const CsvRows& rows, const CsvDialect& dialect, std::size_t field,
                        std::string_view name, RowBuilder& builder);

}  // namespace sluice::decode
