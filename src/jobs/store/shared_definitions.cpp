#include "jobs/shared_definitions.h"

namespace sluice::jobs {

SharedDefinitions* shared_definitions(Store& store) { return dynamic_cast<SharedDefinitions*>(&store); }

}  // namespace sluice::jobs
