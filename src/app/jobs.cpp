// sluice jobs: what waits, runs and went wrong, and the hand that changes it. A service that runs on the same
// data sees each change at once.
#include "app/arguments.h"
#include "app/command.h"
#include "app/job_hand.h"
#include "app/job_line.h"
#include "app/job_target.h"
#include "app/queues.h"
#include "base/text.h"
#include "service/job_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::app {
namespace {

constexpr int kListed = 50;

Result<void> list(const JobsOptions& options, const GlobalOptions& globals, jobs::Store* store) {
  jobs::JobFilter filter;
  filter.subject = options.loader;
  filter.kind = options.kind;
  filter.limit = options.limit.value_or(kListed);
  SLUICE_TRY(filter.states, states_of(options));
  SLUICE_TRY(const bool any, print_jobs(store, filter, globals));
  if (!any && !globals.quiet)
    err("No such jobs in {}\n", service::describe_job_store(globals.database, globals.data));
  return {};
}

struct HandAction {
  std::string_view name;
  Result<void> (JobHand::*act)(const std::string&);
  std::string_view of;  // what it wants to be told
};
constexpr std::array<HandAction, 5> kActions = {
    {{"cancel", &JobHand::cancel, "the numbers of jobs"},
     {"retry", &JobHand::retry, "the numbers of jobs"},
     {"enqueue", &JobHand::enqueue, "the names of loaders or jobs"},
     {"pause", &JobHand::pause, "the names of loaders or jobs"},
     {"resume", &JobHand::resume, "the names of loaders or jobs"}}};

// An option that the action does not know would be silently left out.
Result<void> check_options(const JobsOptions& options) {
  const bool lists = options.action == "list";
  const bool reasons = options.action == "cancel" || options.action == "retry" || options.action == "pause";
  const bool of_queues = options.action == "pause" || options.action == "resume" || options.action == "limit";
  const bool expects = options.action == "cancel" || options.action == "retry";
  const bool filters = lists || options.all;
  const char* stray = !filters && !options.states.empty()                      ? "--state"
                      : !filters && !options.loader.empty()                    ? "--loader"
                      : options.all && options.action != "retry"               ? "--all"
                      : !options.expected.empty() && (!expects || options.all) ? "--expected"
                      : !lists && options.limit                                ? "--limit"
                      : !lists && !options.kind.empty()                        ? "--kind"
                      : !reasons && !options.reason.empty()                    ? "--reason"
                      : !of_queues && !options.queue.empty()                   ? "--queue"
                      : options.action != "limit" && options.most              ? "--most"
                                                                               : nullptr;
  if (stray == nullptr) return {};
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("{} is not for jobs {}; sluice jobs --help tells what it is for", stray, options.action));
}

Error nothing_yet(const GlobalOptions& globals) {
  return Error{ErrorCode::not_found,
               false,
               {},
               fmt::format("nothing has run in {} yet: start sluice serve, or load with sluice run",
                           service::describe_job_store(globals.database, globals.data)),
               {}};
}

int run_jobs(const JobsOptions& options, const GlobalOptions& globals) {
  if (const auto fine = check_options(options); !fine) return report(fine.error(), globals);
  const auto store = open_jobs(globals);
  if (!store) return report(store.error(), globals);
  if (!options.expected.empty()) {
    if (const auto known = state_of("--expected", options.expected); !known)
      return report(known.error(), globals);
  }
  if (options.action == "list") {
    if (!options.of.empty())
      return report(ErrorCode::invalid_argument,
                    fmt::format("jobs list takes no names; write --loader {0}, or sluice show {0}",
                                printable(options.of[0], 60)),
                    globals);
    const auto listed = list(options, globals, store->get());
    return listed ? 0 : report(listed.error(), globals);
  }
  if (options.action == "queues") {
    if (!options.of.empty())
      return report(ErrorCode::invalid_argument, "jobs queues takes no names: it lists all", globals);
    const auto listed = list_queues(store->get(), globals);
    return listed ? 0 : report(listed.error(), globals);
  }
  if (!options.queue.empty() || options.action == "limit") {
    if (options.queue.empty() || !options.of.empty())
      return report(ErrorCode::invalid_argument,
                    fmt::format("jobs {} of a queue wants --queue NAME, and no other name", options.action),
                    globals);
    if (!*store) return report(nothing_yet(globals), globals);
    const auto changed =
        change_queue(**store, {options.action, options.queue, options.reason, options.most}, globals);
    return changed ? 0 : report(changed.error(), globals);
  }
  const auto* action = std::find_if(kActions.begin(), kActions.end(),
                                    [&](const auto& one) { return one.name == options.action; });
  if (options.all && !options.of.empty())
    return report(ErrorCode::invalid_argument, "jobs retry takes the numbers of jobs, or --all", globals);
  if (options.of.empty() && !options.all)
    return report(ErrorCode::invalid_argument, fmt::format("jobs {0} wants {1}", action->name, action->of),
                  globals);
  if (!*store) return report(nothing_yet(globals), globals);
  JobHand hand(**store, options, globals);
  if (const auto fine = hand.bury(); !fine) return report(fine.error(), globals);
  if (options.all) {
    const auto done = hand.retry_all();
    return done ? 0 : report(done.error(), globals);
  }
  int code = 0;
  for (const auto& word : options.of) {
    if (const auto done = (hand.*action->act)(word); !done)
      code = std::max(code, report(done.error(), globals));
  }
  return code;
}

std::string check_action(const std::string& word) {
  std::vector<std::string_view> names = {"list", "queues", "limit"};
  for (const auto& action : kActions) names.push_back(action.name);
  if (std::find(names.begin(), names.end(), word) != names.end()) return {};
  const auto near = nearest(word, names);
  return fmt::format("\"{}\" is not one of {}{}", printable(word, 60), fmt::join(names, ", "),
                     near.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", near));
}

}  // namespace

void add_jobs(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<JobsOptions>();
  auto* command = app.add_subcommand("jobs",
                                     "List jobs and queues; cancel or retry jobs; enqueue, pause, resume "
                                     "loaders; pause, resume, limit queues");
  command
      ->add_option("action", options->action, "list, cancel, retry, enqueue, pause, resume, queues or limit")
      ->type_name("")
      ->required()
      ->check(check_action);
  command
      ->add_option("of", options->of,
                   "Numbers of jobs (cancel, retry) or names of loaders and jobs (enqueue, pause, resume)")
      ->type_name("");
  command
      ->add_option("--state", options->states,
                   "list, retry --all: only these states, one or several by commas; may be repeated")
      ->type_name("STATE")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--loader", options->loader, "list, retry --all: only this loader's or job's")
      ->type_name("NAME")
      ->check(not_empty());
  command->add_option("--kind", options->kind, "list: only of this kind: load, plan, sql, http, command, …")
      ->type_name("KIND")
      ->check(not_empty());
  command
      ->add_option("--limit", options->limit,
                   "list: most jobs to print, newest first, at most 1000 (default: 50)")
      ->type_name("N")
      ->check(whole_number(1, 1000));
  command->add_option("--reason", options->reason, "cancel, retry, pause: why, for the history")
      ->type_name("TEXT");
  command
      ->add_option("--expected", options->expected, "cancel, retry: only if the job is still in this state")
      ->type_name("STATE");
  command->add_flag("--all", options->all, "retry: all failed jobs, or all in the states given");
  command->add_option("--queue", options->queue, "pause, resume, limit: a queue instead of loaders")
      ->type_name("NAME")
      ->check(not_empty());
  command
      ->add_option("--most", options->most,
                   "limit: most jobs of the queue that run at once, on all nodes (default: no limit)")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000));
  command->footer(
      "Examples:\n  sluice jobs list --state failed\n  sluice jobs retry 17 18\n"
      "  sluice jobs retry --all --loader Country\n  sluice jobs cancel 17 --expected failed\n"
      "  sluice jobs pause Country --reason \"the source is being moved\"\n"
      "  sluice jobs queues\n  sluice jobs pause --queue default\n  sluice jobs limit --queue default --most "
      "3");
  command->callback(
      [options, &globals, &action] { action = [options, &globals] { return run_jobs(*options, globals); }; });
}

}  // namespace sluice::app
