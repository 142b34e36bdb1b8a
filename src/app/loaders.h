// The definitions as a command looks at them, and why a loader that was named cannot be used.
#pragma once

#include "app/command.h"
#include "service/service.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {

service::ServiceOptions service_options(const GlobalOptions& options);

// Reads and checks the folder; nothing else is opened, nothing is remembered.
Result<service::DefinitionsPtr> read_definitions(const GlobalOptions& options);

// Why a name is of no use: its file is broken (then with every problem of it), or there is no such loader.
struct Refusal {
  std::string loader;
  Error error;  // code of the first problem; `where` is its FILE:LINE:COLUMN
  std::vector<definition::Problem> problems;
};
// For a name that the catalog does not have.
Refusal why_not(const service::Definitions& definitions, std::string_view name);
// The service file is broken: nothing can run, whatever its name. Empty problems otherwise.
std::vector<definition::Problem> service_problems(const service::Definitions& definitions);
// One refusal for each loader file that is not valid.
std::vector<Refusal> broken_loaders(const service::Definitions& definitions);

// "definitions/Country.loader.yaml:3:1: error: …", the path as the user would open it, with the line it
// stands in below it.
std::string shown(const definition::Problem& problem, const std::filesystem::path& folder);

// {"file","line","column","severity","code","message","suggestion"}
nlohmann::ordered_json to_json(const definition::Problem& problem);
// {"code","retryable","where","message","file","line","column","problems":[…]}; the last four only where a
// file is to blame.
nlohmann::ordered_json error_json(const Refusal& refusal);

// What `run --json` prints in place of a receipt, or `plan --json` in place of a plan: the same keys, nothing
// done, and why.
std::string refused_json(const Refusal& refusal, bool as_plan = false);

// Says it on standard error (and, with --json, as {"error":{…}} on standard output); gives the exit code.
int report(const Refusal& refusal, const GlobalOptions& options);
// The part of it on standard error alone.
void explain(const Refusal& refusal, const GlobalOptions& options);

}  // namespace sluice::app
