// What the steps of one file's check share: where it stands, what it may reach, what was found wrong.
#pragma once

#include "definition/check.h"
#include "definition/field.h"
#include "definition/yaml_tree.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

struct Context {
  const CheckOptions& options;
  const Document* document;  // the file being checked
  bool nox = false;
  NodePool& pool;  // nodes made on the way; lives as long as the check
  std::vector<Problem>& problems;

  void error(Place place, std::string message, std::string suggestion = {}) {
    problems.push_back(
        {Problem::Severity::error, std::move(place), std::move(message), std::move(suggestion)});
  }
  void error(const Node& node, std::string message, std::string suggestion = {}) {
    error(node.place(), std::move(message), std::move(suggestion));
  }
  // What the command line's policy does not let definitions reach.
  void forbid(Place place, std::string message, std::string suggestion = {}) {
    error(std::move(place), std::move(message), std::move(suggestion));
    problems.back().code = ErrorCode::forbidden;
  }
  void warn(const Node& node, std::string message, std::string suggestion = {}) {
    problems.push_back({Problem::Severity::warning, node.place(), std::move(message), std::move(suggestion)});
  }
};

// "did you mean \"x\"?" for the nearest candidate, else "one of a, b, c" when there are few, else empty.
std::string suggest(std::string_view word, const std::vector<std::string_view>& candidates);

// A scalar's value in quotes, for messages; of a substituted one nothing, since it may be a secret.
std::string shown(const Node& node, std::size_t limit = 60);

// A path written in a definition file, made absolute: relative ones start at that file.
std::filesystem::path absolute_path(const CheckOptions& options, std::string_view file,
                                    std::string_view path);
// The absolute path without symbolic links, as far as it exists; never ends in a slash (but for "/").
std::filesystem::path real_path(const std::filesystem::path& path);
// Inside the parent of the root, or an allowed folder, once every symbolic link is followed. (Judged again
// when it is opened: links may change.)
bool path_allowed(const CheckOptions& options, const std::filesystem::path& path);
std::string not_allowed_hint(const std::filesystem::path& path);

// Replaces ${env:NAME}, ${file:PATH}, ${NAME:default} in a scalar. Null when one of them does not resolve;
// the problem is then in the context. The scalar itself when there is nothing to replace.
const Node* substitute(Context& context, const Node& scalar);

// Checks a node against a table and writes it out in full: aliases and shorthands resolved, values checked,
// what is wrong left out. `partial`: nothing is required (the service's defaults).
const Node* normalise(Context& context, const Node& node, const Concept& table, bool partial = false);

// `over` on top of `base`: maps deep, everything else replaced.
const Node* merge(NodePool& pool, const Node* base, const Node* over);

// Readers of normalised maps; a null pointer or a missing key gives the fallback.
const Node* child(const Node* map, std::string_view key);
std::string text_of(const Node* map, std::string_view key, std::string_view fallback = {});
std::optional<std::int64_t> integer_of(const Node* map, std::string_view key);
bool boolean_of(const Node* map, std::string_view key, bool fallback);
std::optional<std::chrono::milliseconds> duration_of(const Node* map, std::string_view key);
std::vector<std::string> texts_of(const Node* map, std::string_view key);

}  // namespace sluice::definition
