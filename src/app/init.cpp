// sluice init: a commented definition to start from.
#include "app/command.h"
#include "base/file.h"
#include "definition/loader_template.h"
#include "english_cron/translation.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <system_error>

namespace sluice::app {
namespace {

struct InitOptions {
  definition::TemplateOptions definition;
  bool print = false;
};

Result<std::filesystem::path> write_definition(const InitOptions& options, const GlobalOptions& globals) {
  const auto& name = options.definition.name;
  if (name.empty() || name.find_first_of("/\\") != std::string::npos || name.starts_with('.')) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("\"{}\" cannot be the name of a loader and its file", name));
  }
  if (const auto phrase = english_cron::translate(options.definition.schedule); !phrase) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("schedule \"{}\": {}", options.definition.schedule, phrase.error().message));
  }
  const auto path = globals.definitions / (name + ".loader.yaml");
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    return fail(ErrorCode::already_exists,
                fmt::format("{} exists already; choose another name", path.string()));
  }
  std::error_code failed;
  std::filesystem::create_directories(globals.definitions, failed);
  if (failed) {
    return fail(ErrorCode::io,
                fmt::format("cannot create {}: {}", globals.definitions.string(), failed.message()));
  }
  SLUICE_CHECK(write_file_atomically(path, definition::loader_template(options.definition)));
  return path;
}

int run_init(const InitOptions& options, const GlobalOptions& globals) {
  if (options.print) {
    fmt::print("{}", definition::loader_template(options.definition));
    return 0;
  }
  const auto path = write_definition(options, globals);
  if (!path) return report(path.error(), globals);
  if (globals.json) {
    fmt::print("{{\"file\":\"{}\"}}\n", path->generic_string());
  } else {
    fmt::print("Wrote {}\nNext: edit it, then\n  sluice check {}\n  sluice plan {}\n", path->string(),
               globals.definitions.string(), options.definition.name);
  }
  return 0;
}

}  // namespace

void add_init(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<InitOptions>();
  auto* command = app.add_subcommand("init", "Write a commented loader definition");
  command->add_option("name", options->definition.name, "Name of the loader")->capture_default_str();
  command->add_option("--source", options->definition.source, "URL or path of the data")
      ->capture_default_str();
  command->add_option("--schedule", options->definition.schedule, "English phrase or cron")
      ->capture_default_str();
  command->add_option("--key", options->definition.key, "Key column; give it again for a composite key");
  command->add_flag("--print", options->print, "Print it instead of writing a file");
  command->footer("Example:\n  sluice init Country --source https://example.org/countries.json --key code");
  command->callback(
      [options, &globals, &action] { action = [options, &globals] { return run_init(*options, globals); }; });
}

}  // namespace sluice::app
