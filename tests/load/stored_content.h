// What a table of the target holds, in the form of the reference.
#pragma once

#include "load/reference_table.h"
#include "sql/connection.h"

#include <string>

namespace sluice::load::test {

Content stored_content(sql::Connection& connection, const std::string& table);

}  // namespace sluice::load::test
