// Where the tests find the checkout: case folders, shipped definitions, documents.
//
// A function and not a macro on every command line, so that object files do not depend on where the checkout
// lies and a compiler cache serves every clone.
#pragma once

#include <string>

namespace sluice::test {

/// The absolute path of the checkout, without a slash at its end.
std::string source_dir();

}  // namespace sluice::test
