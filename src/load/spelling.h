// Fields whose names differ only in case: which of them are one column. A source may spell a field otherwise
// than it did, or than another source does; within one file two spellings are two fields.
#pragma once

#include "base/error.h"
#include "decode/decode.h"

#include <map>
#include <string>
#include <vector>

namespace sluice::load {

// For each item: the field that stands for a known one, where it is spelled otherwise. Known name -> field.
using Spellings = std::vector<std::map<std::string, std::string>>;

struct Spelled {
  std::vector<decode::Probe> seen;  // fields under the names by which they are known
  Spellings spellings;              // one entry an item
};

// `known`: the fields that columns are read from already. A field that no item has had before is known by its
// first spelling. `labels`: of the items, for messages. Error: an item has two fields that could be a known
// one, and neither is spelled like it.
Result<Spelled> match_spelling(const std::vector<decode::Probe>& seen, const std::vector<std::string>& known,
                               const std::vector<std::string>& labels);

}  // namespace sluice::load
