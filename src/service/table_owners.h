// Who may load a table: what the definitions say of the loader that loaded it until now.
#pragma once

#include "load/run.h"
#include "service/catalog_keeper.h"
#include "service/databases.h"

#include <string_view>

namespace sluice::service {

// The claim that loader `owner` has on the target table of `asking`, by these definitions.
load::OwnerClaim claim_of(const Definitions& definitions, const Databases& databases,
                          const LoaderSpec& asking, std::string_view owner);

}  // namespace sluice::service
