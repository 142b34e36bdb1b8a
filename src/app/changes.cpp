// sluice changes: the rows that one run wrote, with before and after.
#include "api/change_json.h"
#include "app/arguments.h"
#include "app/command.h"
#include "app/job_target.h"
#include "base/text.h"
#include "history/query.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace sluice::app {
namespace {

constexpr int kPage = 500;

struct ChangesOptions {
  std::string job;
  int limit = 1000;
};

char mark_of(const std::string& op) {
  if (op == "delete") return '-';
  if (op == "restore") return '^';
  return op == "update" ? '~' : '+';
}

// A JSON string without its quotes, anything else as JSON has it: nothing in it can command a terminal.
std::string value_text(const api::Json& value) {
  return printable(value.is_string() ? value.get_ref<const std::string&>() : api::dump(value), 200);
}

void print_change(const api::Json& change) {
  std::string key;
  for (const auto& part : change["key"]) {
    key +=
        fmt::format("{}{}={}", key.empty() ? "" : " ", value_text(part["name"]), value_text(part["value"]));
  }
  const auto& op = change["op"].get_ref<const std::string&>();
  if (op == "load") key = "first load";
  out("{} {}\n", mark_of(op), key);
  for (const auto& cell : change["columns"]) {
    const auto name = value_text(cell["name"]);
    if (op == "update") {
      out("    {}: {} -> {}\n", name, value_text(cell["before"]), value_text(cell["after"]));
    } else {
      out("    {}: {}\n", name, value_text(op == "delete" ? cell["before"] : cell["after"]));
    }
  }
}

// Page by page: the change log of a run may be long. True when there is more than was asked for.
Result<bool> print_changes(const JobTarget& target, int limit, const GlobalOptions& globals, int& printed) {
  std::int64_t after = 0;
  for (;;) {
    const int most = std::min(kPage, limit - printed) + 1;
    SLUICE_TRY(const auto page, history::changes(*target.connection, target.run, after, most));
    const bool more = static_cast<int>(page.size()) == most;
    const std::size_t shown = more ? page.size() - 1 : page.size();
    for (std::size_t i = 0; i < shown; ++i) {
      const auto change = api::change_json(page[i]);
      if (globals.json) {
        out("{}\n", api::dump(change));
      } else {
        print_change(change);
      }
    }
    printed += static_cast<int>(shown);
    if (!more || printed >= limit) return more;
    after = page[shown - 1].seq;
  }
}

Result<int> changes(const ChangesOptions& options, const GlobalOptions& globals) {
  const auto id = job_number(options.job);
  if (!id) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("\"{}\" is not a job's number; sluice history lists the jobs", options.job));
  }
  SLUICE_TRY(const auto store, open_jobs(globals));
  SLUICE_TRY(const auto job, find_job(store.get(), *id, globals));
  SLUICE_TRY(const auto target, open_job_target(*store, job, globals));
  int printed = 0;
  bool more = false;
  if (target) {
    SLUICE_TRY(more, print_changes(*target, options.limit, globals, printed));
  }
  if (globals.quiet) return 0;
  if (more) err("… and more: --limit N shows N of them\n");
  if (printed == 0) err("Job {} ({}) left no changes\n", id->value(), jobs::to_string(job.state));
  return 0;
}

}  // namespace

void add_changes(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<ChangesOptions>();
  auto* command = app.add_subcommand("changes", "The rows that a run changed, before and after");
  command->add_option("job", options->job, "The number of the job, as history and run tell it")
      ->type_name("")
      ->required();
  command->add_option("--limit", options->limit, "Most changes to print")
      ->type_name("N")
      ->capture_default_str()
      ->check(whole_number(1, 1'000'000'000));
  command->footer("Example:\n  sluice changes 17 --json");
  command->callback([options, &globals, &action] {
    action = [options, &globals] {
      const auto code = changes(*options, globals);
      return code ? *code : report(code.error(), globals);
    };
  });
}

}  // namespace sluice::app
