#include "sql/statement.h"

namespace sluice::sql {

std::int64_t Statement::int64(int index) const {
  const Value value = column(index);
  if (value.kind == Kind::integer) return value.integer;
  if (value.kind != Kind::real) return 0;
  // Casting a double outside the range is undefined.
  if (!(value.real > -9.2e18 && value.real < 9.2e18)) return 0;
  return static_cast<std::int64_t>(value.real);
}

double Statement::real(int index) const {
  const Value value = column(index);
  if (value.kind == Kind::real) return value.real;
  return value.kind == Kind::integer ? static_cast<double>(value.integer) : 0.0;
}

}  // namespace sluice::sql
