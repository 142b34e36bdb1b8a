#include "base/text.h"
#include "definition/catalog.h"
#include "definition/column_type.h"
#include "definition/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::definition {
namespace {

// Plain where YAML reads it back as the same text, else in double quotes.
std::string yaml_scalar(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./%()";
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos &&
                     ((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z') && text != "null" &&
                     text != "true" && text != "false";
  if (plain) return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string list(const std::vector<std::string>& texts) {
  std::string result = "[";
  for (const auto& text : texts) result += (result.size() > 1 ? ", " : "") + yaml_scalar(text);
  return result + "]";
}

// Header values are shown only where they cannot be a secret.
bool harmless_header(std::string_view name) {
  constexpr std::array<std::string_view, 5> kHarmless = {"accept", "accept-language", "content-type",
                                                         "user-agent", "referer"};
  return std::any_of(kHarmless.begin(), kHarmless.end(), [&](auto known) { return iequals(known, name); });
}

std::string limit_text(const std::optional<Limit>& limit) { return limit ? to_string(*limit) : "off"; }

std::string auth_text(const AuthSpec& auth) {
  switch (auth.kind) {
    case AuthSpec::Kind::basic:
      return fmt::format("    auth: {{basic: {{user: {}, password: \"***\"}}}}\n", yaml_scalar(auth.user));
    case AuthSpec::Kind::bearer:
      return "    auth: {token: \"***\"}\n";
    case AuthSpec::Kind::api_key:
      return fmt::format("    auth: {{apiKey: {{name: {}, value: \"***\", in: {}}}}}\n",
                         yaml_scalar(auth.name), auth.in_query ? "query" : "header");
    case AuthSpec::Kind::none:
      break;
  }
  return {};
}

std::string csv_text(const CsvSpec& csv) {
  std::vector<std::string> parts;
  const auto character = [&](std::string_view key, std::optional<char> c) {
    if (!c) return;
    parts.push_back(fmt::format("{}: {}", key,
                                *c == '\0'   ? "none"
                                : *c == '\t' ? "tab"
                                             : yaml_scalar(std::string_view(&*c, 1))));
  };
  character("delimiter", csv.delimiter);
  character("quote", csv.quote);
  if (csv.header) parts.push_back(fmt::format("header: {}", *csv.header));
  if (csv.skip_lines > 0) parts.push_back(fmt::format("skipLines: {}", csv.skip_lines));
  if (!csv.encoding.empty()) parts.push_back("encoding: " + csv.encoding);
  character("decimal", csv.decimal);
  if (csv.null) parts.push_back("null: " + yaml_scalar(*csv.null));
  return parts.empty() ? "" : fmt::format("    csv: {{{}}}\n", fmt::join(parts, ", "));
}

std::string source_text(const SourceSpec& source) {
  std::string out;
  if (source.kind == SourceSpec::Kind::file) {
    out += fmt::format("  - file: {}\n", yaml_scalar(source.file.string()));
  } else {
    out += fmt::format("  - url: {}\n", yaml_scalar(shown_url(source)));
    if (!source.headers.empty()) out += "    headers:\n";
    for (const auto& [name, value] : source.headers)
      out += fmt::format("      {}: {}\n", yaml_scalar(name),
                         harmless_header(name) ? yaml_scalar(value) : "\"***\"");
    out += auth_text(source.auth);
    out += fmt::format("    timeouts: {{connect: {}, idle: {}, total: {}}}\n",
                       format_duration(source.timeouts.connect), format_duration(source.timeouts.idle),
                       format_duration(source.timeouts.total));
    out +=
        fmt::format("    retry: {{limit: {}, base: {}, max: {}, maxWait: {}, statuses: [{}]}}\n",
                    source.retry.limit, format_duration(source.retry.base), format_duration(source.retry.max),
                    format_duration(source.retry.max_wait), fmt::join(source.retry.statuses, ", "));
  }
  if (!source.name.empty()) out += fmt::format("    name: {}\n", yaml_scalar(source.name));
  out += fmt::format("    format: {}\n", to_string(source.decode.format));
  if (!source.decode.records.empty())
    out += fmt::format("    records: {}\n", yaml_scalar(source.decode.records));
  out += csv_text(source.decode.csv);
  if (source.minimum_expected_records > 0)
    out += fmt::format("    minimumExpectedRecords: {}\n", source.minimum_expected_records);
  out += fmt::format("    maxBytes: {}\n", format_size(source.max_bytes));
  return out;
}

std::string after_text(const After& after) {
  if (after.names.empty()) return {};
  return fmt::format("  after: {{names: {}, on: {}, wait: {}}}\n", list(after.names), to_string(after.on),
                     after.wait == After::Wait::all ? "all" : "any");
}

template <class Definition>
std::string schedule_text(const Definition& definition) {
  const auto& schedule = definition.spec.schedule;
  std::string out = "schedule:\n";
  if (!schedule.manual || definition.after.names.empty())
    out += fmt::format("  start: {}", schedule.manual ? "manual" : yaml_scalar(schedule.phrase));
  if (!schedule.manual)
    out +=
        fmt::format("  # {} ({})", definition.schedule.english, fmt::join(definition.schedule.crons, " | "));
  if (!out.ends_with('\n')) out += '\n';
  out += after_text(definition.after);
  out += fmt::format("  timezone: {}\n",
                     yaml_scalar(schedule.manual ? schedule.timezone : definition.schedule.zone));
  if (!schedule.anchor.empty()) out += fmt::format("  anchor: {}\n", yaml_scalar(schedule.anchor));
  out += fmt::format("  runOnStartup: {}\n  missed: {}\n  catchUpWindow: {}\n  overlap: {}\n",
                     to_string(schedule.run_on_startup), to_string(schedule.missed),
                     format_duration(schedule.catch_up_window), to_string(definition.pacing.overlap));
  if (definition.pacing.jitter.count() > 0)
    out += fmt::format("  jitter: {}\n", format_duration(definition.pacing.jitter));
  if (schedule.timeout.count() > 0) out += fmt::format("  timeout: {}\n", format_duration(schedule.timeout));
  out += fmt::format("  retry: {{limit: {}, delay: {}, backoff: {}, ", schedule.retry.limit,
                     format_duration(schedule.retry.delay),
                     schedule.retry.exponential ? "exponential" : "constant");
  if (schedule.retry.double_delay_limit)
    out += fmt::format("doubleDelayLimit: {}, ", *schedule.retry.double_delay_limit);
  return out + fmt::format("maxDelay: {}}}\n", format_duration(schedule.retry.max_delay));
}

std::string columns_text(const TargetSpec& target) {
  std::string out;
  if (target.columns.empty()) return out;
  out += target.closed_columns ? "columns:  # and no others\n" : "columns:\n";
  for (const auto& column : target.columns) {
    std::vector<std::string> parts;
    if (column.type)
      parts.push_back("type: " +
                      yaml_scalar(format_column_type(*column.type, column.precision, column.scale)));
    if (!column.from.empty()) parts.push_back("from: " + yaml_scalar(column.from));
    if (column.required) parts.push_back("required: true");
    out += fmt::format("  {}: {{{}}}\n", yaml_scalar(column.name), fmt::join(parts, ", "));
  }
  return out;
}

std::string work_text(const SqlTask& sql) {
  std::string out = "sql:\n  statements:\n";
  for (const auto& statement : sql.statements) out += fmt::format("    - {}\n", yaml_scalar(statement));
  if (!sql.database.empty()) out += fmt::format("  database: {}\n", yaml_scalar(mask_url(sql.database)));
  return out + fmt::format("  transaction: {}\n", sql.transaction);
}

std::string work_text(const HttpTask& http) {
  const auto& request = http.request;
  auto out = fmt::format("http:\n  url: {}\n  method: {}\n", yaml_scalar(shown_url(request)), http.method);
  if (!request.headers.empty()) out += "  headers:\n";
  for (const auto& [name, value] : request.headers)
    out += fmt::format("    {}: {}\n", yaml_scalar(name),
                       harmless_header(name) ? yaml_scalar(value) : "\"***\"");
  if (const auto auth = auth_text(request.auth); !auth.empty()) out += auth.substr(2);
  if (http.body) out += fmt::format("  body: {}\n", yaml_scalar(*http.body));
  if (!http.expect.empty()) out += fmt::format("  expect: [{}]\n", fmt::join(http.expect, ", "));
  return out + fmt::format("  timeouts: {{connect: {}, idle: {}, total: {}}}\n",
                           format_duration(request.timeouts.connect), format_duration(request.timeouts.idle),
                           format_duration(request.timeouts.total));
}

std::string work_text(const CommandTask& command) {
  auto out = fmt::format("command:\n  run: {}\n  directory: {}\n", list(command.arguments),
                         yaml_scalar(command.directory.string()));
  if (!command.environment.empty()) out += "  environment:\n";
  for (const auto& [name, value] : command.environment)
    out += fmt::format("    {}: \"***\"\n", yaml_scalar(name));
  if (!command.retry_exit_codes.empty())
    out += fmt::format("  retryExitCodes: [{}]\n", fmt::join(command.retry_exit_codes, ", "));
  return out + fmt::format("  grace: {}\n", format_duration(command.grace));
}

// What ${…} brought in is hidden wherever it stands; a value of a few letters would hide words all over.
std::string without(std::string text, const std::vector<Secret>& secrets) {
  constexpr std::size_t kShortest = 4;
  for (const auto& secret : secrets) {
    const std::string& value = secret.reveal();
    if (value.size() < kShortest) continue;
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + 3))
      text.replace(at, value.size(), "***");
  }
  return text;
}

}  // namespace

std::string resolved_yaml(const TaskDefinition& definition) {
  const auto& spec = definition.spec;
  std::string out = fmt::format("# {}, as resolved\nname: {}\n", definition.file, yaml_scalar(spec.name));
  if (!spec.description.empty()) out += fmt::format("description: {}\n", yaml_scalar(spec.description));
  if (!spec.tags.empty()) out += fmt::format("tags: {}\n", list(spec.tags));
  out += fmt::format("enabled: {}\n", spec.enabled);
  out += schedule_text(definition);
  return out + without(std::visit([](const auto& work) { return work_text(work); }, spec.work), spec.secrets);
}

std::string resolved_yaml(const LoaderDefinition& definition) {
  const auto& spec = definition.spec;
  std::string out = fmt::format("# {}, as resolved\nname: {}\n", definition.file, yaml_scalar(spec.name));
  if (!spec.description.empty()) out += fmt::format("description: {}\n", yaml_scalar(spec.description));
  if (!spec.tags.empty()) out += fmt::format("tags: {}\n", list(spec.tags));
  out += fmt::format("enabled: {}\n", spec.enabled);
  out += schedule_text(definition);
  out += "sources:\n";
  for (const auto& source : spec.sources) out += source_text(source);
  if (!spec.target.key.empty()) out += fmt::format("key: {}\n", list(spec.target.key));
  out += fmt::format("target:\n  table: {}\n", yaml_scalar(spec.target.table));
  if (!spec.target.schema.empty()) out += fmt::format("  schema: {}\n", yaml_scalar(spec.target.schema));
  if (!spec.target.database.empty())
    out += fmt::format("  database: {}\n", yaml_scalar(mask_url(spec.target.database)));
  out += fmt::format("load:\n  mode: {}\n", to_string(spec.mode));
  if (spec.mode == LoadMode::sync) out += fmt::format("  vanished: {}\n", to_string(spec.vanished));
  if (!spec.cursor_columns.empty())
    out += fmt::format("  # says what changed: {}\n", fmt::join(spec.cursor_columns, ", "));
  out += fmt::format("  changeLog: {}\n", to_string(spec.change_log));
  out += spec.guards.minimum_warns ? "guards:  # a missed minimumExpectedRecords warns\n" : "guards:\n";
  if (spec.guards.minimum_expected_records)
    out += fmt::format("  minimumExpectedRecords: {}\n", *spec.guards.minimum_expected_records);
  out += fmt::format("  maxDeletes: {}\n  maxShrink: {}\n  maxRejects: {}\n  onBreach: {}\n",
                     limit_text(spec.guards.max_deletes), limit_text(spec.guards.max_shrink),
                     limit_text(spec.guards.max_rejects), to_string(spec.guards.on_breach));
  out += columns_text(spec.target);
  out += fmt::format("contract: {{newColumns: {}}}\n", to_string(spec.new_columns));
  out += fmt::format("rejects: {{keep: {}, sample: {}, raw: {}}}\n", format_duration(spec.rejects.keep),
                     spec.rejects.sample, spec.rejects.raw);
  out += fmt::format("memoryLimit: {}\n", format_size(spec.memory_limit));
  return out;
}

}  // namespace sluice::definition
