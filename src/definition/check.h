// Definitions in, catalog and problems out. Pure and offline: nothing but ${file:…} is read, nothing is
// connected to. Not valid is a value here: check() always returns.
#pragma once

#include "base/error.h"
#include "definition/catalog.h"
#include "definition/problem.h"
#include "definition/source_file.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct CheckOptions {
  // The definitions folder; relative paths inside a definition start at the file that holds them.
  std::filesystem::path root;
  // Value of an environment variable; empty function = the process's own environment.
  std::function<std::optional<std::string>(std::string_view name)> environment;
  // `file:` and `${file:…}` may reach the root's parent and these folders; with allow_any_path everything.
  std::vector<std::filesystem::path> allowed_paths;
  bool allow_any_path = false;
  // Whether a run would be allowed to ask this http or https URL (error forbidden) and could read it at all;
  // empty = every URL. Offline: names are not resolved here, a run judges what they lead to.
  std::function<Result<void>(const std::string& url)> url_allowed;
  // Set when --database is given: a service file without a usable database is then no warning.
  bool database_given = false;
  // --allow-commands: jobs may start programs.
  bool allow_commands = false;
};

struct FileReport {
  std::string file;
  FileKind kind = FileKind::misnamed;
  bool nox = false;
  std::string name;  // what the file defines; "" when it could not be told
  bool valid = false;
  std::vector<Problem> problems;  // errors and warnings of this file
  std::string hash;
};

struct CheckResult {
  CatalogPtr catalog;             // of all valid definitions; never null
  std::vector<FileReport> files;  // one for each file given, in the same order
  std::vector<Problem> problems;  // all, by file and place
  bool ok() const { return !has_errors(problems); }
};

CheckResult check(const std::vector<SourceFile>& files, const CheckOptions& options);

// Remembers parsed files by hash, so that a reload costs only what changed. Not thread-safe.
class Checker {
 public:
  explicit Checker(CheckOptions options);
  ~Checker();
  Checker(Checker&&) noexcept;
  Checker& operator=(Checker&&) noexcept;

  CheckResult check(const std::vector<SourceFile>& files);
  const CheckOptions& options() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::definition
