// sluice rejects: the records that could not be loaded, as they are kept in the target.
#include "api/reject_json.h"
#include "app/arguments.h"
#include "app/command.h"
#include "app/job_report.h"
#include "app/job_target.h"
#include "app/loaders.h"
#include "base/text.h"
#include "history/query.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>

namespace sluice::app {
namespace {

constexpr int kPage = 500;
constexpr std::int64_t kListed = 100;
constexpr std::int64_t kEndless = std::numeric_limits<std::int64_t>::max();

struct RejectsOptions {
  std::string what = "list";
  std::string name;  // a loader, or the number of a job
  bool all = false;
  bool loader = false;       // a name, whatever it looks like
  std::optional<int> limit;  // none: 100 of a list, all of an export
};

// Where rejects may lie, and which of them are meant.
struct Search {
  std::vector<std::unique_ptr<sql::Connection>> targets;
  history::RejectFilter filter;
  std::optional<Error> unknown;  // there is no such loader; its record may be there all the same
};

Result<Search> of_job(JobId id, const GlobalOptions& globals) {
  Search search;
  SLUICE_TRY(const auto store, open_jobs(globals));
  SLUICE_TRY(const auto job, find_job(store.get(), id, globals));
  SLUICE_TRY(auto target, open_job_target(*store, job, globals));
  if (!target) return search;
  search.filter.job = target->run;
  search.targets.push_back(std::move(target->connection));
  return search;
}

Result<void> add_target(const std::string& url, const GlobalOptions& globals, Search& search) {
  SLUICE_TRY(auto connection, service::Databases(globals.database, globals.data).open_for_reading(url));
  if (connection) search.targets.push_back(std::move(connection));
  return {};
}

// Every database that loads go to, and the one that they go to when nothing else is said.
Result<Search> of_all(const service::Definitions& definitions, const GlobalOptions& globals) {
  std::set<std::string> urls;
  const service::Databases databases(globals.database, globals.data);
  const ServiceSpec& service = definitions.catalog->service;
  if (auto usual = databases.url_for(LoaderSpec{}, service)) urls.insert(*std::move(usual));
  for (const auto& loader : definitions.catalog->loaders) {
    SLUICE_TRY(auto url, databases.url_for(loader.spec, service));
    urls.insert(std::move(url));
  }
  Search search;
  for (const auto& url : urls) SLUICE_CHECK(add_target(url, globals, search));
  return search;
}

Result<Search> of_all(const GlobalOptions& globals) {
  SLUICE_TRY(const auto definitions, read_definitions(globals));
  return of_all(*definitions, globals);
}

Result<Search> of_loader(const std::string& name, const GlobalOptions& globals) {
  SLUICE_TRY(const auto definitions, read_definitions(globals));
  Search search;
  if (const auto* loader = definitions->catalog->find(name)) {
    const service::Databases databases(globals.database, globals.data);
    SLUICE_TRY(const auto url, databases.url_for(loader->spec, definitions->catalog->service));
    SLUICE_CHECK(add_target(url, globals, search));
  } else {
    SLUICE_TRY(search, of_all(*definitions, globals));
    search.unknown = why_not(*definitions, name).error;
  }
  search.filter.loader = name;
  return search;
}

Result<Search> search_of(const RejectsOptions& options, const GlobalOptions& globals) {
  const auto job = options.loader ? std::nullopt : job_number(options.name);
  SLUICE_TRY(auto search, job                    ? of_job(*job, globals)
                          : options.name.empty() ? of_all(globals)
                                                 : of_loader(options.name, globals));
  search.filter.open_only = !options.all && !search.filter.job;
  return search;
}

// {"loader","status",…} and then as GET jobs/{id}/rejects; an export has the record whole.
api::Json json_of(const history::KeptReject& reject, bool whole) {
  api::Json json = {{"loader", reject.loader}, {"status", reject.status}};
  json.update(api::reject_json(reject));
  if (whole) {
    json["raw"] = reject.raw.empty() ? api::Json(nullptr) : api::Json(reject.raw);
    json["rawCut"] = false;
  }
  return json;
}

void print_reject(const history::KeptReject& reject, bool whole, const GlobalOptions& globals) {
  if (whole || globals.json) {
    out("{}\n", api::dump(json_of(reject, whole)));
    return;
  }
  out("{}{}\n{}", printable(reject.loader), reject.status == "open" ? "" : " (" + reject.status + ")",
      reject_text(reject));
}

Result<int> rejects(const RejectsOptions& options, const GlobalOptions& globals) {
  const bool whole = options.what == "export";
  SLUICE_TRY(auto search, search_of(options, globals));
  const std::int64_t limit = options.limit ? *options.limit : whole ? kEndless : kListed;
  std::int64_t printed = 0;
  bool left = false;  // more than were asked for
  for (const auto& target : search.targets) {
    auto filter = search.filter;
    filter.limit = kPage;
    for (bool more = true; more && !left;) {
      SLUICE_TRY(const auto page, history::rejects(*target, filter));
      for (const auto& reject : page) {
        left = printed == limit;
        if (left) break;
        print_reject(reject, whole, globals);
        ++printed;
      }
      more = static_cast<int>(page.size()) == kPage;
      if (more) filter.after_id = page.back().id;
    }
    if (left) break;
  }
  if (printed == 0 && search.unknown) return std::unexpected(*search.unknown);
  if (globals.quiet) return 0;
  if (printed == 0) err("No rejects{}\n", options.all || search.filter.job ? "" : " that are still open");
  if (left) err("… and more: --limit N shows N of them\n");
  return 0;
}

}  // namespace

void add_rejects(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<RejectsOptions>();
  auto* command = app.add_subcommand("rejects", "The records that could not be loaded, and why");
  command->add_option("what", options->what, "list, or export: one JSON object a line with the whole record")
      ->type_name("")
      ->required()
      ->check([](const std::string& word) {
        return word == "list" || word == "export"
                   ? std::string()
                   : fmt::format("\"{}\" is neither list nor export: sluice rejects list {}",
                                 printable(word, 60), printable(word, 60));
      });
  command->add_option("name", options->name, "A loader's name or a job's number (default: all loaders)")
      ->type_name("")
      ->check(not_empty());
  command->add_flag("--loader", options->loader,
                    "The name is a loader's, though it looks like a job's number");
  command->add_flag("--all", options->all, "Those too that a later run has found mended");
  command
      ->add_option("--limit", options->limit,
                   "Most rejects to tell (default: 100 of a list, all of an export)")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000'000));
  command->footer("Examples:\n  sluice rejects list Country\n  sluice rejects export 17 > rejects.ndjson");
  command->callback([options, &globals, &action] {
    action = [options, &globals] {
      const auto code = rejects(*options, globals);
      return code ? *code : report(code.error(), globals);
    };
  });
}

}  // namespace sluice::app
