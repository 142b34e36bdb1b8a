#include "base/file.h"
#include "base/text.h"
#include "definition/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sluice::definition {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxSecretFile = 64u << 10;

bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
         std::string_view::npos;
}

std::optional<std::string> environment_value(const CheckOptions& options, std::string_view name) {
  if (options.environment) return options.environment(name);
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// One ${…}, `inside` without the braces. `outside`: the value does not stand in the definition.
std::optional<std::string> resolve(Context& context, const Node& scalar, std::size_t at,
                                   std::string_view inside, bool& outside) {
  outside = true;
  const auto refuse = [&](std::string message, std::string suggestion) -> std::optional<std::string> {
    context.error(place_within(context.document, scalar, at), std::move(message), std::move(suggestion));
    return std::nullopt;
  };
  if (inside.starts_with("file:")) {
    const auto path = absolute_path(context.options, scalar.file, trim(inside.substr(5)));
    if (!path_allowed(context.options, path)) {
      context.forbid(place_within(context.document, scalar, at),
                     fmt::format("${{{}}} is outside the folders that definitions may read", inside),
                     not_allowed_hint(real_path(path)));
      return std::nullopt;
    }
    auto content = read_file(path, kMaxSecretFile);
    if (!content)
      return refuse(fmt::format("${{{}}} cannot be read: {}", inside, content.error().message),
                    "the path starts at the file that names it");
    while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
    return *content;
  }
  const bool named_env = inside.starts_with("env:");
  if (named_env) inside.remove_prefix(4);
  const auto colon = inside.find(':');
  const auto name = inside.substr(0, colon);
  if (!is_name(name))
    return refuse(fmt::format("${{{}}} is none of ${{env:NAME}}, ${{file:PATH}}, ${{NAME:default}}",
                              printable(inside, 60)),
                  "write $${ for a literal ${");
  if (auto value = environment_value(context.options, name)) return value;
  outside = false;
  if (colon != std::string_view::npos) return std::string(inside.substr(colon + 1));
  return refuse(fmt::format("the environment variable {} is not set", name),
                fmt::format("set it, or give a default: ${{{}:default}}", name));
}

}  // namespace

fs::path absolute_path(const CheckOptions& options, std::string_view file, std::string_view path) {
  std::error_code ignored;
  const auto root = fs::absolute(options.root.empty() ? fs::path(".") : options.root, ignored);
  return (root / fs::path(file).parent_path() / fs::path(path)).lexically_normal();
}

bool path_allowed(const CheckOptions& options, const fs::path& path) {
  if (options.allow_any_path) return true;
  const auto real = real_path(path);
  return std::any_of(options.allowed_paths.begin(), options.allowed_paths.end(), [&](const fs::path& folder) {
    const auto relative = real.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
  });
}

fs::path real_path(const fs::path& path) {
  std::error_code ignored;
  auto whole = fs::absolute(path.empty() ? fs::path(".") : path, ignored).lexically_normal();
  if (!whole.has_filename() && whole.has_relative_path()) whole = whole.parent_path();
  // realpath(3), since a folder of thousands of definitions asks as often; it knows existing paths only.
  fs::path missing;
  for (auto known = whole; known.has_relative_path(); known = known.parent_path()) {
    if (char* found = ::realpath(known.c_str(), nullptr); found != nullptr) {
      const fs::path real(found);
      std::free(found);
      return missing.empty() ? real : real / missing;
    }
    missing = missing.empty() ? known.filename() : known.filename() / missing;
  }
  return whole;
}

std::string not_allowed_hint(const fs::path& path) {
  return fmt::format("start with --allow-path {} to allow it", path.parent_path().string());
}

const Node* substitute(Context& context, const Node& scalar) {
  const std::string& value = scalar.value;
  if (value.find("${") == std::string::npos) return &scalar;
  Node* result = context.pool.copy(scalar);
  result->value.clear();
  std::size_t at = 0;
  while (at < value.size()) {
    if (value.compare(at, 3, "$${") == 0) {
      result->value += "${";
      at += 3;
    } else if (value.compare(at, 2, "${") == 0) {
      const auto end = value.find('}', at);
      if (end == std::string::npos) {
        context.error(place_within(context.document, scalar, at), "${ without its }",
                      "write $${ for a literal ${");
        return nullptr;
      }
      bool outside = false;
      const auto resolved =
          resolve(context, scalar, at, std::string_view(value).substr(at + 2, end - at - 2), outside);
      if (!resolved) return nullptr;
      if (outside) result->filled_in.push_back(*resolved);
      result->value += *resolved;
      result->substituted = true;
      at = end + 1;
    } else {
      result->value += value[at++];
    }
  }
  return result;
}

}  // namespace sluice::definition
