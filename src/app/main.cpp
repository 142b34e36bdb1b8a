// sluice: one program, one sub-command a job. See command.h for what they share.
#include "app/arguments.h"
#include "app/command.h"
#include "base/log.h"
#include "fetch/curl_library.h"
#include "sql/sqlite.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <string>
#include <vector>

namespace {

using namespace sluice;

void adapt_process() {
  // A file that may not grow any more (ulimit -f) fails the write, which says so; the signal would kill us.
  std::signal(SIGXFSZ, SIG_IGN);
  sql::forgo_sqlite_statistics();
  // The soft limit is low for the sake of select(), which nothing here calls; a source may be thousands of
  // files.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::max(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 1u << 20));
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void add_global_options(CLI::App& app, app::GlobalOptions& options) {
  // Given twice, the last one counts; lists take one value each time, never the words that follow.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--definitions", options.definitions, "Folder of the definitions")
      ->type_name("DIR")
      ->check(app::not_empty())
      ->capture_default_str();
  app.add_option("--data", options.data, "Folder of the data: jobs, target, locks")
      ->type_name("DIR")
      ->check(app::not_empty())
      ->capture_default_str();
  app.add_option("--database", options.database, "Target: sqlite:PATH (beats the service file)")
      ->type_name("URL");
  app.add_flag("--json", options.json, "For machines: one JSON object, or one a line");
  app.add_flag("--quiet", options.quiet, "Only errors");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off")
      ->type_name("LEVEL");
  app.add_option("--allow-path", options.allow_paths,
                 "A folder, besides the definitions' parent, that sources may read; may be repeated")
      ->type_name("DIR")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_option("--allow-address", options.allow_addresses,
                 "A link-local address that sources may reach; may be repeated")
      ->type_name("HOST")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_flag("--allow-commands", options.allow_commands,
               "Jobs (*.job.yaml) may start programs, as the user that runs sluice");
}

void add_commands(CLI::App& app, app::GlobalOptions& options, app::Action& action) {
  for (const auto add : {app::add_serve, app::add_check, app::add_run, app::add_plan, app::add_cron,
                         app::add_history, app::add_show, app::add_changes, app::add_undo, app::add_rejects,
                         app::add_jobs, app::add_schema, app::add_init}) {
    add(app, options, action);
  }
  for (auto* command : app.get_subcommands({})) {
    command->group("Commands");
    command->footer(command->get_footer() +
                    "\n\nOptions of every command, explained by sluice --help:\n"
                    "  --definitions DIR, --data DIR, --database URL, --json, --quiet, --log-level LEVEL,\n"
                    "  --allow-path DIR, --allow-address HOST, --allow-commands");
  }
}

int refuse(const app::Mistake& mistake, const app::GlobalOptions& options) {
  const int code = app::report(ErrorCode::invalid_argument, mistake.message, options);
  app::err("sluice: {}{} --help tells more\n", mistake.command.empty() ? "sluice" : "sluice ",
           mistake.command);
  return code;
}

int run(std::vector<std::string> words) {
  CLI::App app("Sluice keeps a database in step with the world: YAML loaders on English schedules.");
  app.name("sluice");
  app.set_version_flag("--version", SLUICE_VERSION, "Print the version");
  app.set_help_flag("-h,--help", "Print this help; COMMAND --help prints the command's own");
  app.require_subcommand(1);
  app.fallthrough();
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("Positionals", "Arguments");
  app.footer(
      "Exit codes: 0 ok, 1 run failed, 2 invalid definition or arguments, 3 environment,\n"
      "4 guard breached, 130 interrupted.\n\n"
      "Examples:\n  sluice serve definitions\n  sluice run Country --json\n  sluice cron \"every weekday at "
      "7:15am\"");
  app::GlobalOptions options;
  app::Action action;
  add_global_options(app, options);
  add_commands(app, options, action);
  words = app::with_help_option(std::move(words));
  options.json = app::wants_json(words);
  if (const auto mistake = app::find_mistake(app, words)) return refuse(*mistake, options);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    // A value that does not fit; the parser names the option.
    return refuse({error.what(), app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name()},
                  options);
  }
  // The service tells what it does; a command speaks through what it prints.
  const bool serves = app.got_subcommand("serve");
  const std::string level = !options.log_level.empty() ? options.log_level
                            : options.quiet            ? "error"
                            : serves                   ? "info"
                                                       : "warn";
  if (auto log = set_up_log(level); !log) return app::report(log.error(), options);
  const auto curl = fetch::CurlLibrary::start();
  if (!curl) return app::report(curl.error(), options);
  return action ? action() : 2;
}

}  // namespace

int main(int argc, char** argv) {
  app::hold_standard_streams();
  try {
    adapt_process();
    return app::finish_output(run({argv + std::min(argc, 1), argv + argc}));
  } catch (const std::exception& error) {
    app::GlobalOptions options;
    options.json = app::wants_json(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
    return app::report(ErrorCode::internal, error.what(), options);
  }
}
