#include "base/sql_text.h"
#include "base/text.h"
#include "definition/build.h"
#include "definition/scalar.h"
#include "definition/yaml_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::definition {
namespace {

template <std::size_t Size>
bool one_of(const std::array<std::string_view, Size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What ${…} brought into the values below the node.
void collect_secrets(const Node* node, std::vector<Secret>& secrets) {
  if (node == nullptr) return;
  for (const auto& part : node->filled_in) secrets.emplace_back(part);
  for (const auto& entry : node->entries) collect_secrets(entry.value, secrets);
}

SqlTask build_sql(Context& context, const Node& node) {
  constexpr std::array<std::string_view, 8> kTransaction = {"begin", "start", "commit",    "rollback",
                                                            "end",   "abort", "savepoint", "release"};
  SqlTask sql;
  sql.transaction = boolean_of(&node, "transaction", true);
  const Node* statements = child(&node, "statements");
  if (statements != nullptr) {
    for (const auto& entry : statements->entries) {
      for (auto& statement : split_statements(entry.value->value)) {
        const auto word = first_word(statement);
        if (one_of(kTransaction, word)) {
          context.error(*entry.value,
                        fmt::format("a job begins and ends its transactions itself: \"{}\" is in the way",
                                    printable(statement, 60)),
                        sql.transaction ? "leave it out; transaction: false gives each statement its own"
                                        : "leave it out");
        } else if (sql.transaction && word == "vacuum") {
          context.error(*entry.value, "vacuum cannot run inside a transaction",
                        "write sql: {statements: vacuum, transaction: false}");
        }
        sql.statements.push_back(std::move(statement));
      }
    }
    if (sql.statements.empty())
      context.error(*statements, "there is no statement in \"sql\"", "write sql: delete from …");
  }
  if (const Node* database = child(&node, "database")) sql.database = build_database_url(context, *database);
  return sql;
}

HttpTask build_http(Context& context, const Node& node, const Known& known, std::vector<Secret>& secrets) {
  HttpTask http;
  const Node* url = child(&node, "url");
  const Node* named = child(&node, "dataSource");
  const auto* at = url != nullptr ? url : named != nullptr ? named : &node;
  if ((url != nullptr) == (named != nullptr)) {
    if (url != nullptr) {
      context.error(*named, "a request has only one of \"url\" and \"dataSource\"");
    } else if (!node.lost("url") && !node.lost("dataSource")) {
      context.error(node, "a request needs \"url\", or \"dataSource\" and \"path\"", "write http: https://…");
    }
  } else {
    http.request = build_source(context, node, known);
    if (named != nullptr && http.request.kind == SourceSpec::Kind::file && http.request.url.empty() &&
        known.data_sources.contains(named->value))
      context.error(*named, fmt::format("the data source \"{}\" has no baseUrl to send a request to",
                                        printable(named->value, 60)));
  }
  http.request.place = at->place();
  const Node* body = child(&node, "body");
  const Node* json = child(&node, "json");
  if (body != nullptr && json != nullptr)
    context.error(*json, "a request has only one of \"body\" and \"json\"", "keep one");
  if (body != nullptr) http.body = body->value;
  if (json != nullptr) {
    std::vector<std::string> filled_in;
    http.body = json_of(context, *json, filled_in);
    for (auto& part : filled_in) secrets.emplace_back(std::move(part));
    const auto& headers = http.request.headers;
    if (std::none_of(headers.begin(), headers.end(),
                     [](const auto& header) { return iequals(header.first, "Content-Type"); }))
      http.request.headers.emplace_back("Content-Type", "application/json");
  }
  const Node* method = child(&node, "method");
  http.method = method != nullptr ? method->value : http.body ? "POST" : "GET";
  if (http.body && (http.method == "GET" || http.method == "HEAD"))
    context.error(*method, fmt::format("{} sends no body", http.method), "write method: POST");
  if (const Node* expect = child(&node, "expect")) {
    for (const auto& entry : expect->entries)
      http.expect.push_back(static_cast<int>(parse_integer(entry.value->value).value_or(0)));
  }
  return http;
}

// "python3 report.py" -> "[python3, report.py]": what was meant by a line of a shell.
std::string as_list(std::string_view line) {
  std::string list = "[";
  for (const auto word : split(line, ' ')) {
    if (!word.empty()) list += fmt::format("{}{}", list.size() > 1 ? ", " : "", word);
  }
  return list + "]";
}

void check_environment(Context& context, const Node* environment, CommandTask& command) {
  if (environment == nullptr) return;
  for (const auto& [key, value] : environment->entries) {
    if (key->value.empty() || key->value.find_first_of("= \t") != std::string::npos)
      context.error(*key, fmt::format("\"{}\" is not the name of a variable", printable(key->value, 60)));
    if (value->value.find('\0') != std::string::npos)
      context.error(*value, "the value of a variable holds no NUL byte");
    command.environment.emplace_back(key->value, value->value);
  }
}

CommandTask build_command(Context& context, const Node& node) {
  CommandTask command;
  const Node* run = child(&node, "run");
  if (run != nullptr) {
    command.arguments = texts_of(&node, "run");
    if (command.arguments.empty() || trim(command.arguments.front()).empty()) {
      context.error(*run, "the command names no program", "write command: [python3, report.py]");
    } else if (command.arguments.size() == 1 &&
               command.arguments.front().find_first_of(" \t\n|;&<>") != std::string::npos) {
      context.error(
          *run,
          fmt::format("\"{}\" is no name of a program, and there is no shell to read it",
                      printable(command.arguments.front(), 60)),
          command.arguments.front().find_first_of("|;&<>") != std::string::npos
              ? "write command: [sh, -c, …] where a shell is what you want"
              : fmt::format("write command: {}", printable(as_list(command.arguments.front()), 120)));
    }
    for (const auto& argument : command.arguments) {
      if (argument.find('\0') != std::string::npos) context.error(*run, "an argument holds no NUL byte");
    }
  }
  const Node* directory = child(&node, "directory");
  command.directory = absolute_path(context.options, node.file, directory == nullptr ? "." : directory->value)
                          .lexically_normal();
  if (!command.directory.has_filename()) command.directory = command.directory.parent_path();
  check_environment(context, child(&node, "environment"), command);
  if (const Node* codes = child(&node, "retryExitCodes")) {
    for (const auto& entry : codes->entries)
      command.retry_exit_codes.push_back(static_cast<int>(parse_integer(entry.value->value).value_or(0)));
  }
  command.grace = duration_of(&node, "grace").value_or(command.grace);
  if (!context.options.allow_commands)
    context.forbid(node.place(), "jobs may not start programs here",
                   "start with --allow-commands to allow it");
  return command;
}

}  // namespace

TaskSpec build_task(Context& context, const Node& task, const Known& known) {
  TaskSpec spec;
  const Node* name = child(&task, "name");
  spec.place = name == nullptr ? task.place() : name->place();
  spec.name = text_of(&task, "name");
  check_name(context, name);
  spec.description = text_of(&task, "description");
  spec.tags = texts_of(&task, "tags");
  spec.enabled = boolean_of(&task, "enabled", true);
  const Node* sql = child(&task, "sql");
  const Node* http = child(&task, "http");
  const Node* command = child(&task, "command");
  if ((sql != nullptr) + (http != nullptr) + (command != nullptr) != 1) {
    const bool said_wrongly = task.lost("sql") || task.lost("http") || task.lost("command");
    if (sql != nullptr || http != nullptr || command != nullptr) {
      context.error(command != nullptr ? *command : *http,
                    "a job does one thing: one of \"sql\", \"http\" and \"command\"",
                    "make a second job of it, with after: the name of the first");
    } else if (!said_wrongly) {
      context.error(task, "a job needs one of \"sql\", \"http\" and \"command\": what it does",
                    "write sql: delete from …, http: https://… or command: [program, argument]");
    }
    return spec;
  }
  for (const Node* work : {sql, http, command}) collect_secrets(work, spec.secrets);
  if (sql != nullptr) spec.work = build_sql(context, *sql);
  if (http != nullptr) spec.work = build_http(context, *http, known, spec.secrets);
  if (command != nullptr) spec.work = build_command(context, *command);
  return spec;
}

}  // namespace sluice::definition
