// sluice jobs: what waits, runs and went wrong, and the hand that changes it. A service that runs on the same
// data sees each change at once.
#include "app/arguments.h"
#include "app/command.h"
#include "app/job_line.h"
#include "app/job_target.h"
#include "app/loaders.h"
#include "app/queues.h"
#include "base/clock.h"
#include "base/text.h"
#include "jobs/engine.h"
#include "service/job_store.h"
#include "service/loader_schedule.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;

struct JobsOptions {
  std::string action = "list";
  std::vector<std::string> of;  // numbers of jobs, or names of loaders
  std::vector<std::string> states;
  std::string loader;
  std::string reason;
  std::optional<int> limit;  // of a list; none = kListed
  std::string queue;         // pause, resume, limit: this queue instead of loaders
  std::optional<int> most;   // limit
  std::string expected;      // cancel, retry: only jobs in this state
  bool all = false;          // retry: all failed ones, or those of the states given
};

constexpr int kListed = 50;
constexpr int kRetriedAtOnce = 500;
constexpr std::string_view kBy = "the command line";

std::string store_name(const GlobalOptions& globals) {
  return service::describe_job_store(globals.database, globals.data);
}

std::string reason_of(const JobsOptions& options, std::string_view otherwise) {
  return options.reason.empty() ? fmt::format("{} on {}", otherwise, kBy) : options.reason;
}

Result<jobs::JobState> state_of(std::string_view option, const std::string& name) {
  if (const auto state = jobs::parse_job_state(name)) return *state;
  std::vector<std::string_view> names;
  names.reserve(jobs::kJobStates.size());
  for (const auto known : jobs::kJobStates) names.push_back(jobs::to_string(known));
  return fail(ErrorCode::invalid_argument, fmt::format("{}: there is no state \"{}\"; use {}", option,
                                                       printable(name, 60), fmt::join(names, ", ")));
}

Result<std::vector<jobs::JobState>> states_of(const JobsOptions& options) {
  std::vector<jobs::JobState> states;
  for (const auto& name : options.states) {
    SLUICE_TRY(const auto state, state_of("--state", name));
    states.push_back(state);
  }
  return states;
}

Result<void> list(const JobsOptions& options, const GlobalOptions& globals, jobs::Store* store) {
  jobs::JobFilter filter;
  filter.subject = options.loader;
  filter.limit = options.limit.value_or(kListed);
  SLUICE_TRY(filter.states, states_of(options));
  std::vector<jobs::Job> found;
  if (store != nullptr) {
    SLUICE_TRY(found, store->queries().list(filter));
  }
  const auto now = SystemClock().now();
  for (const auto& job : found) print_job(job, now, globals);
  if (found.empty() && !globals.quiet) err("No such jobs in {}\n", store_name(globals));
  return {};
}

void tell(Json done, const std::string& words, const GlobalOptions& globals) {
  if (globals.json) {
    out("{}\n", done.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (!globals.quiet) {
    out("{}\n", words);
  }
}

// One job or loader after the other; what is done stays done when a later one cannot be.
class Hand {
 public:
  Hand(jobs::Store& store, const JobsOptions& options, const GlobalOptions& globals)
      : store_(store), engine_(store, clock_), options_(options), globals_(globals) {}

  // What dead services held is free again, and they are no longer taken for somebody who works.
  Result<void> bury() {
    SLUICE_TRY(const auto rescued, store_.nodes().rescue_dead(clock_.now()));
    static_cast<void>(rescued);
    return {};
  }

  Result<void> cancel(const std::string& word) {
    SLUICE_TRY(const auto id, number(word));
    SLUICE_TRY(const auto job, find_job(&store_, id, globals_));
    SLUICE_TRY(const auto outcome, cancelled(id));
    if (outcome == jobs::Cancelled::too_late) {
      return fail(ErrorCode::conflict,
                  fmt::format("job {} has ended already: {}", word, jobs::to_string(job.state)));
    }
    const bool asked = outcome == jobs::Cancelled::requested;
    const auto told = std::to_string(id.value());
    tell({{"job", told}, {"done", asked ? "asked" : "deleted"}},
         asked ? fmt::format("job {}: asked to stop", told) : fmt::format("job {}: deleted", told), globals_);
    return {};
  }

  Result<void> retry(const std::string& word) {
    SLUICE_TRY(const auto id, number(word));
    SLUICE_TRY(const auto job, find_job(&store_, id, globals_));
    SLUICE_CHECK(engine_.change(job.id, again()));
    const auto told = std::to_string(id.value());
    tell({{"job", told}, {"done", "enqueued"}}, fmt::format("job {}: enqueued", told), globals_);
    return warn_of_nobody();
  }

  // A step after the other: what is done stays done, should this process end.
  Result<void> retry_all() {
    jobs::JobFilter filter;
    SLUICE_TRY(filter.states, states_of(options_));
    if (filter.states.empty()) filter.states = {jobs::JobState::failed};
    filter.subject = options_.loader;
    filter.limit = kRetriedAtOnce;
    int changed = 0, refused = 0;
    for (;;) {
      SLUICE_TRY(const auto done, engine_.change_all(filter, again()));
      changed += done.changed;
      refused += done.refused;
      if (!done.next) break;
      filter.before = done.next;
    }
    tell({{"enqueued", changed}, {"refused", refused}},
         refused == 0 ? fmt::format("{} jobs enqueued", changed)
                      : fmt::format("{} jobs enqueued; {} cannot be run again", changed, refused),
         globals_);
    return changed > 0 ? warn_of_nobody() : Result<void>();
  }

  Result<void> enqueue(const std::string& loader) {
    SLUICE_TRY(const auto recurring, of_loader(loader));
    // Its schedule outlives a definition that went while no service ran.
    if (const auto definitions = read_definitions(globals_);
        definitions && (*definitions)->catalog->find(loader) == nullptr)
      return std::unexpected(why_not(**definitions, loader).error);
    SLUICE_TRY(const auto id, engine_.run_now(recurring, jobs::Origin::cli, std::string(kBy)));
    const auto job = std::to_string(id.value());
    tell({{"loader", loader}, {"job", job}, {"done", "enqueued"}}, fmt::format("{}: job {}", loader, job),
         globals_);
    return warn_of_nobody();
  }

  Result<void> pause(const std::string& loader) {
    SLUICE_TRY(const auto recurring, of_loader(loader));
    SLUICE_CHECK(engine_.pause_recurring(recurring, kBy, reason_of(options_, "paused")));
    tell({{"loader", loader}, {"done", "paused"}}, fmt::format("{}: paused", loader), globals_);
    return {};
  }

  Result<void> resume(const std::string& loader) {
    SLUICE_TRY(const auto recurring, of_loader(loader));
    SLUICE_CHECK(engine_.resume_recurring(recurring));
    tell({{"loader", loader}, {"done", "resumed"}}, fmt::format("{}: resumed", loader), globals_);
    return {};
  }

 private:
  jobs::StateRequest again() const {
    return {.to = jobs::JobState::enqueued,
            .run_at = {},
            .expected = jobs::parse_job_state(options_.expected),
            .reason = reason_of(options_, "run again")};
  }

  Result<jobs::Cancelled> cancelled(JobId id) {
    const auto reason = reason_of(options_, "cancelled");
    if (options_.expected.empty()) return engine_.cancel(id, reason);
    SLUICE_TRY(const auto state, engine_.change(id, {.to = jobs::JobState::deleted,
                                                     .run_at = {},
                                                     .expected = jobs::parse_job_state(options_.expected),
                                                     .reason = reason}));
    return state == jobs::JobState::deleted ? jobs::Cancelled::deleted : jobs::Cancelled::requested;
  }

  static Result<JobId> number(const std::string& word) {
    const auto id = job_number(word);
    if (id) return *id;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("\"{}\" is not a job's number; sluice jobs list tells them", printable(word, 60)));
  }

  // The schedule that a service has made for the loader.
  Result<std::string> of_loader(const std::string& loader) {
    auto id = service::recurring_id(loader);
    SLUICE_TRY(const auto found, store_.recurring().get(id));
    if (found && !found->retired_at) return id;
    const auto definitions = read_definitions(globals_);
    if (definitions && (*definitions)->catalog->find(loader) == nullptr)
      return std::unexpected(why_not(**definitions, loader).error);
    return fail(ErrorCode::not_found,
                fmt::format("no service has taken up loader \"{}\" in {} yet: start sluice serve, or load it "
                            "here with sluice run",
                            printable(loader, 60), store_name(globals_)));
  }

  Result<void> warn_of_nobody() {
    SLUICE_TRY(const auto nodes, store_.nodes().nodes());
    const bool served =
        std::any_of(nodes.begin(), nodes.end(), [](const auto& node) { return node.workers > 0; });
    if (!served && !globals_.quiet && !std::exchange(warned_, true))
      err("sluice: note: no service runs on {}: what is enqueued waits for sluice serve\n",
          store_name(globals_));
    return {};
  }

  SystemClock clock_;
  jobs::Store& store_;
  jobs::Engine engine_;  // never started: it changes, and works at nothing
  const JobsOptions& options_;
  const GlobalOptions& globals_;
  bool warned_ = false;
};

struct HandAction {
  std::string_view name;
  Result<void> (Hand::*act)(const std::string&);
  std::string_view of;  // what it wants to be told
};
constexpr std::array<HandAction, 5> kActions = {{{"cancel", &Hand::cancel, "the numbers of jobs"},
                                                 {"retry", &Hand::retry, "the numbers of jobs"},
                                                 {"enqueue", &Hand::enqueue, "the names of loaders"},
                                                 {"pause", &Hand::pause, "the names of loaders"},
                                                 {"resume", &Hand::resume, "the names of loaders"}}};

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
                           store_name(globals)),
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
  Hand hand(**store, options, globals);
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
                   "Numbers of jobs (cancel, retry) or names of loaders (enqueue, pause, resume)")
      ->type_name("");
  command->add_option("--state", options->states, "list, retry --all: only these states; may be repeated")
      ->type_name("STATE")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command->add_option("--loader", options->loader, "list, retry --all: only this loader's")
      ->type_name("NAME")
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
