// From what the definition declares, what the table has and what the data shows to the columns a run wants.
#pragma once

#include "base/error.h"
#include "decode/decode.h"
#include "load/spelling.h"
#include "model/schema.h"
#include "model/spec.h"

#include <set>
#include <string>
#include <vector>

namespace sluice::load {

struct Mapping {
  Schema wanted;                            // ids are not given yet; upsert::plan_table does that
  std::set<std::string> strict;             // columns whose type was declared: a misfit rejects the record
  std::vector<std::string> ignored_fields;  // seen and not wanted
  bool ignore_new_fields = false;
  Spellings spellings;                             // of each item, see there
  std::vector<std::set<std::string>> seen_fields;  // of each item, as it spells them: what its start showed
  std::vector<std::string> notes;                  // for people
};

// `pinned` is the table's schema as of its last load (null: none yet); its types hold unless the definition
// declares another. `seen` has one entry for each item, `labels` says what to call it. A key is never
// inferred as decimal or double: text instead. Errors: a key that no source has or that is declared double,
// two fields that differ only in case, a decimal column that no declaration fits.
Result<Mapping> map_columns(const LoaderSpec& loader, const std::vector<decode::Probe>& seen,
                            const std::vector<std::string>& labels, const Schema* pinned);

// The wanted columns after a pass found more: new fields added (where the definition lets them), misfits
// widened. `found` has one entry for each item. A column of `pinned` (null: no table yet) that cannot hold
// its stored values as the wider type becomes text.
Result<Mapping> widen(const Mapping& mapping, const LoaderSpec& loader,
                      const std::vector<const decode::Findings*>& found, const Schema& used,
                      const Schema* pinned);

}  // namespace sluice::load
