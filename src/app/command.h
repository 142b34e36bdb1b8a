// What the commands share. Each command is one file with one add_… function, listed in main.cpp.
#pragma once

#include "app/output.h"
#include "base/error.h"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sluice::app {

// Options of every command (DESIGN, section 3).
struct GlobalOptions {
  std::filesystem::path definitions = "definitions";
  std::filesystem::path data = "data";
  std::string database;
  bool json = false;
  bool quiet = false;
  std::string log_level;  // "" = the command's own default
  std::vector<std::filesystem::path> allow_paths;
  std::vector<std::string> allow_addresses;
  bool allow_commands = false;
};

// Set by the parsed sub-command; returns the exit code.
using Action = std::function<int()>;

void add_serve(CLI::App& app, GlobalOptions& options, Action& action);
void add_check(CLI::App& app, GlobalOptions& options, Action& action);
void add_run(CLI::App& app, GlobalOptions& options, Action& action);
void add_plan(CLI::App& app, GlobalOptions& options, Action& action);
void add_cron(CLI::App& app, GlobalOptions& options, Action& action);
void add_history(CLI::App& app, GlobalOptions& options, Action& action);
void add_show(CLI::App& app, GlobalOptions& options, Action& action);
void add_changes(CLI::App& app, GlobalOptions& options, Action& action);
void add_undo(CLI::App& app, GlobalOptions& options, Action& action);
void add_rejects(CLI::App& app, GlobalOptions& options, Action& action);
void add_jobs(CLI::App& app, GlobalOptions& options, Action& action);
void add_schema(CLI::App& app, GlobalOptions& options, Action& action);
void add_init(CLI::App& app, GlobalOptions& options, Action& action);

// Prints "sluice: error: …" (and {"error":{…}} with --json, on standard output) and gives the exit code.
int report(const Error& error, const GlobalOptions& options);
int report(ErrorCode code, std::string message, const GlobalOptions& options);

}  // namespace sluice::app
