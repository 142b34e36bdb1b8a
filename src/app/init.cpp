// sluice init: a commented definition to start from, with what its source was found to hold. What it writes
// passes `check`, and a first `run` at the time of writing.
#include "app/arguments.h"
#include "app/command.h"
#include "app/draft.h"
#include "app/stop_signals.h"
#include "base/file.h"
#include "base/text.h"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace sluice::app {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Result<void> write(const Draft& draft, const GlobalOptions& globals) {
  std::error_code failed;
  fs::create_directories(globals.definitions, failed);
  if (failed)
    return fail(ErrorCode::io,
                fmt::format("cannot create {}: {}", globals.definitions.string(), failed.message()));
  // People edit and share it: it gets the mode of any new file, or keeps the one it had.
  const auto before = fs::status(draft.path(), failed);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  const auto mode = fs::exists(before) ? before.permissions() : static_cast<fs::perms>(0666U & ~mask);
  SLUICE_CHECK(write_file_atomically(draft.path(), draft.text()));
  fs::permissions(draft.path(), mode, failed);
  return {};
}

// As a shell reads it back.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,+@%=-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The options that this call was given and the next one needs too.
std::string same_options(const GlobalOptions& globals) {
  const GlobalOptions usual;
  std::string words;
  const auto add = [&](std::string_view option, const std::string& value) {
    words += fmt::format(" {} {}", option, shell_word(value));
  };
  if (globals.definitions != usual.definitions) add("--definitions", globals.definitions.string());
  if (globals.data != usual.data) add("--data", globals.data.string());
  if (globals.database.starts_with("sqlite:")) add("--database", globals.database);  // others hold passwords
  for (const auto& path : globals.allow_paths) add("--allow-path", path.string());
  for (const auto& address : globals.allow_addresses) add("--allow-address", address);
  return words;
}

Json to_json(const Draft& draft, bool written) {
  Json json = {{"file", written ? Json(draft.path().generic_string()) : Json(nullptr)},
               {"name", draft.name()},
               {"key", draft.key()},
               {"records", nullptr},
               {"columns", Json::array()},
               {"notes", draft.notes()}};
  if (draft.survey()) {
    json["records"] = draft.survey()->records;
    for (const auto& column : draft.survey()->columns) {
      json["columns"].push_back(
          {{"name", column.column.name},
           {"type", column.has_values ? Json(to_string(column.column.type)) : Json(nullptr)},
           {"empty", column.has_values ? column.empty : draft.survey()->records},
           {"unique", column.unique}});
    }
  }
  if (!written) json["yaml"] = draft.text();
  return json;
}

void print_text(const Draft& draft, const GlobalOptions& globals) {
  out("Wrote {}\n", draft.path().string());
  if (draft.survey()) {
    const auto& survey = *draft.survey();
    out("Found {} {} of {} {}; key: {}\n", group_digits(survey.records),
        survey.records == 1 ? "record" : "records", survey.columns.size(),
        survey.columns.size() == 1 ? "column" : "columns",
        draft.key().empty() ? "none, so the table is replaced as a whole by each run"
                            : printable(fmt::format("{}", fmt::join(draft.key(), ", ")), 500));
  }
  const auto options = same_options(globals);
  out("Next: look it over, then\n  sluice check{1}\n  sluice plan {0}{1}\n", shell_word(draft.name()),
      options);
}

int run_init(const InitOptions& options, const GlobalOptions& globals) {
  const StopSignals signals;
  Draft draft(options, globals, signals.token());
  if (const auto code = draft.settle()) return *code;
  for (const auto& note : draft.notes()) err("sluice: note: {}\n", printable(note, 500));
  if (!options.print) {
    if (auto written = write(draft, globals); !written) return report(written.error(), globals);
  }
  if (globals.json) {
    out("{}\n", to_json(draft, !options.print).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (options.print) {
    write_out(draft.text());
  } else if (!globals.quiet) {
    print_text(draft, globals);
  }
  return 0;
}

void add_options(CLI::App& command, InitOptions& options) {
  command.add_option("--schedule", options.schedule, "English phrase or cron")
      ->type_name("PHRASE")
      ->capture_default_str();
  command
      .add_option("--key", options.key,
                  "Key column, instead of the one that the records suggest; again for a composite key")
      ->type_name("COLUMN")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  command.add_option("--records", options.records, "JSON path of the records, where there are several lists")
      ->type_name("PATH");
  command.add_flag("--offline", options.offline, "Do not look at the source");
  command.add_flag("--force", options.force, "Replace a definition of this name");
  command.add_flag("--print", options.print, "Print it instead of writing a file");
}

}  // namespace

void add_init(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto options = std::make_shared<InitOptions>();
  const auto act = [options, &globals, &action] {
    action = [options, &globals] { return run_init(*options, globals); };
  };
  auto* init = app.add_subcommand("init", "Write a commented loader definition, with what its source holds");
  init->add_option("name", options->name, "Name of the loader (default: from the source)")->type_name("");
  init->add_option("--source", options->source, "URL or path of the data; without it an example is written")
      ->type_name("URL-or-FILE")
      ->check(not_empty());
  add_options(*init, *options);
  init->footer(
      "Examples:\n  sluice init Country --source https://example.org/countries.json\n"
      "  sluice init --source inbox/rates.csv.gz --key currency --key date");
  init->callback(act);

  auto* infer =
      app.add_subcommand("infer", "Columns, types and key of a source, as a definition: init --source");
  infer->add_option("source", options->source, "URL or path of the data")
      ->type_name("")
      ->required()
      ->check(not_empty());
  infer->add_option("name", options->name, "Name of the loader (default: from the source)")->type_name("");
  add_options(*infer, *options);
  infer->footer(
      "Examples:\n  sluice infer inbox/rates.csv.gz\n  sluice infer https://example.org/x.json --print");
  infer->callback(act);
}

}  // namespace sluice::app
