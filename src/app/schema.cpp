// sluice schema: the JSON Schema of definitions, for editors.
#include "definition/schema.h"

#include "app/command.h"
#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <memory>

namespace sluice::app {
namespace {

constexpr std::array<std::pair<std::string_view, definition::FileKind>, 5> kKinds = {{
    {"loader", definition::FileKind::loader},
    {"job", definition::FileKind::job},
    {"entity", definition::FileKind::entity},
    {"dataSource", definition::FileKind::data_source},
    {"service", definition::FileKind::service},
}};

int run_schema(const std::string& kind, const GlobalOptions& globals) {
  if (kind.empty()) {
    out("{}\n", definition::json_schema());
    return 0;
  }
  for (const auto& [name, value] : kKinds) {
    if (iequals(name, kind)) {
      out("{}\n", definition::json_schema(value));
      return 0;
    }
  }
  return report(ErrorCode::invalid_argument,
                fmt::format("no schema for \"{}\"; use loader, job, entity, dataSource or service", kind),
                globals);
}

}  // namespace

void add_schema(CLI::App& app, GlobalOptions& globals, Action& action) {
  auto kind = std::make_shared<std::string>();
  auto* command = app.add_subcommand("schema", "JSON Schema of the definitions, for editors");
  command->add_option("kind", *kind, "loader, job, entity, dataSource or service (default: all in one)")
      ->type_name("");
  command->footer("Example:\n  sluice schema loader > loader.schema.json");
  command->callback(
      [kind, &globals, &action] { action = [kind, &globals] { return run_schema(*kind, globals); }; });
}

}  // namespace sluice::app
