// sluice: one program, one sub-command a job. See command.h for what they share.
#include "app/command.h"
#include "base/log.h"
#include "base/text.h"
#include "fetch/curl_library.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>

namespace {

using namespace sluice;

// "unknown command" with the nearest one, since CLI11's own message names only the word.
std::string suggestion_for(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::vector<std::string_view> views(names.begin(), names.end());
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with('-')) continue;
    if (std::find(views.begin(), views.end(), word) != views.end()) return {};
    if (const auto near = nearest(word, views); !near.empty()) {
      return fmt::format("unknown command \"{}\"; did you mean \"{}\"?", word, near);
    }
    return fmt::format("unknown command \"{}\"", word);
  }
  return {};
}

void adapt_process() {
  // A file that may not grow any more (ulimit -f) fails the write, which says so; the signal would kill us.
  std::signal(SIGXFSZ, SIG_IGN);
  // The soft limit is low for the sake of select(), which nothing here calls; a source may be thousands of
  // files.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::max(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 1u << 20));
  ::setrlimit(RLIMIT_NOFILE, &files);
}

void add_global_options(CLI::App& app, app::GlobalOptions& options) {
  app.add_option("--definitions", options.definitions, "Folder of the definitions")->capture_default_str();
  app.add_option("--data", options.data, "Folder of the data: jobs, target, locks")->capture_default_str();
  app.add_option("--database", options.database, "Target: sqlite:PATH (beats the service file)");
  app.add_flag("--json", options.json, "For machines: one JSON object, or one a line");
  app.add_flag("--quiet", options.quiet, "Only errors");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error or off");
  app.add_option("--allow-path", options.allow_paths,
                 "A folder, besides the definitions' parent, that sources may read");
  app.add_option("--allow-address", options.allow_addresses, "A link-local address that sources may reach");
}

int run(int argc, char** argv) {
  CLI::App app("Sluice keeps a database in step with the world: YAML loaders on English schedules.");
  app.name("sluice");
  app.set_version_flag("--version", SLUICE_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Exit codes: 0 ok, 1 run failed, 2 invalid definition or arguments, 3 environment, 4 guard breached.\n"
      "Examples:\n  sluice serve definitions\n  sluice run Country --json\n  sluice cron \"every weekday at "
      "7:15am\"");
  app::GlobalOptions options;
  app::Action action;
  add_global_options(app, options);
  for (const auto add : {app::add_serve, app::add_check, app::add_run, app::add_plan, app::add_cron,
                         app::add_history, app::add_show, app::add_schema, app::add_init}) {
    add(app, options, action);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForAllHelp& help) {
    return app.exit(help);
  } catch (const CLI::CallForVersion& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    const auto better = suggestion_for(app, argc, argv);
    fmt::print(stderr, "sluice: error: {}\nsluice: try --help\n", better.empty() ? error.what() : better);
    return 2;
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
  try {
    adapt_process();
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sluice: error: {}\n", error.what());
    return 1;
  }
}
