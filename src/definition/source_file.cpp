#include "definition/source_file.h"

#include "base/file.h"
#include "base/text.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace sluice::definition {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, FileKind>, 5> kKinds = {{
    {"service", FileKind::service},
    {"dataSource", FileKind::data_source},
    {"entity", FileKind::entity},
    {"loader", FileKind::loader},
    {"job", FileKind::job},
}};
constexpr std::array<std::string_view, 5> kKindWords = {"service", "dataSource", "entity", "loader", "job"};
// Kinds of Nox files that say nothing about loading.
constexpr std::array<std::string_view, 8> kOtherNoxKinds = {
    "api", "workflow", "solution", "dto", "command", "integration", "mapping", "dataConnection"};

std::optional<FileKind> kind_of(std::string_view word) {
  for (const auto& [name, kind] : kKinds) {
    if (name == word) return kind;
  }
  return std::nullopt;
}

// What editors leave lying about while they save, and what people do to switch a file off.
bool is_leftover(std::string_view name) {
  constexpr std::array<std::string_view, 9> kEndings = {"~",    ".swp",  ".swx", ".tmp",     ".bak",
                                                        ".old", ".orig", ".off", ".disabled"};
  return name.starts_with('.') || name.starts_with('#') ||
         std::any_of(kEndings.begin(), kEndings.end(), [&](auto ending) { return name.ends_with(ending); });
}

FileName misnamed(bool nox, std::string message, const std::string& right_name) {
  return {FileKind::misnamed, nox, right_name.empty() ? "" : fmt::format("did you mean \"{}\"?", right_name),
          std::move(message)};
}

// The kind word a name without any seems to want: "Country-loader", "Countryloader", "Country.loder".
std::string_view likely_kind(std::string_view word) {
  if (const auto near = nearest(word, kKindWords); !near.empty()) return near;
  for (const auto kind : kKindWords) {
    if (word.size() > kind.size() && iequals(word.substr(word.size() - kind.size()), kind)) return kind;
  }
  return {};
}

std::optional<FileName> misnamed_yaml(std::string_view stem, bool nox) {
  const std::string ending = nox ? ".nox.yaml" : ".yaml";
  const auto dot = stem.rfind('.');
  const auto word = dot == std::string_view::npos ? stem : stem.substr(dot + 1);
  const auto base = dot == std::string_view::npos ? std::string_view() : stem.substr(0, dot);
  if (nox && std::find(kOtherNoxKinds.begin(), kOtherNoxKinds.end(), word) != kOtherNoxKinds.end())
    return FileName{FileKind::misnamed, nox, "",
                    fmt::format("a Nox {} file says nothing about loading; it is skipped", word)};
  if (base.empty() && kind_of(word))
    return misnamed(nox, "the file name has no name before the kind", fmt::format("NAME.{}{}", word, ending));
  const auto kind = likely_kind(word);
  if (kind.empty())
    return misnamed(nox, "the file name does not say what is in it (.loader.yaml, .entity.yaml, …)", "");
  std::string name(base);
  if (const auto near = nearest(word, kKindWords); near.empty()) {
    if (!name.empty()) name += '.';
    name += word.substr(0, word.size() - kind.size());
    while (name.ends_with('-') || name.ends_with('_') || name.ends_with(' ')) name.pop_back();
  }
  return misnamed(nox, "the file name does not end like a definition; it is skipped",
                  fmt::format("{}.{}{}", name.empty() ? "NAME" : name, kind, ending));
}

void read_into(SourceFile& file, const fs::path& path) {
  std::error_code error;
  std::error_code no_link;
  const auto link = fs::read_symlink(path, no_link);
  const auto status = fs::status(path, error);
  if (!no_link && status.type() == fs::file_type::not_found) {
    file.problem = fmt::format("is a link to \"{}\", and there is no such file", link.string());
  } else if (error == std::errc::too_many_symbolic_link_levels) {
    file.problem = "is a link that leads back to itself";
  } else if (error || !fs::exists(status)) {
    file.problem = "cannot be read: " + (error ? error.message() : std::string("it is gone"));
  } else if (fs::is_directory(status)) {
    file.problem = no_link ? "is a directory, not a file"
                           : fmt::format("is a link to the directory \"{}\", not a file", link.string());
  } else if (!fs::is_regular_file(status)) {
    file.problem = "is not a regular file";
  } else if (auto text = read_file(path, kMaxFileSize)) {
    file.text = std::move(*text);
    file.hash = hash_text(file.text);
  } else if (text.error().code == ErrorCode::too_large) {
    file.problem = fmt::format("is too large for a definition (at most {} bytes)",
                               group_digits(static_cast<long long>(kMaxFileSize)));
  } else {
    file.problem = "cannot be read: " + text.error().message;
  }
}

std::string relative_to(const fs::path& root, const fs::path& path) {
  return path.lexically_relative(root).generic_string();
}

// A link to a folder is not followed: it may lead round in a circle, or out of the root. Where it holds
// definitions, somebody expects them to run.
bool is_link_to_definitions(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error) || !fs::is_directory(path, error)) return false;
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto known = classify(entry->path().filename().string());
    if (known && known->kind != FileKind::misnamed) return true;
  }
  return false;
}

// Adds the definitions in a folder and below it. The error tells that this one could not be read, or not to
// its end.
std::error_code read_below(const fs::path& root, const fs::path& folder, std::vector<SourceFile>& files) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto name = entry->path().filename().string();
    std::error_code ignored;
    const bool directory = entry->is_directory(ignored) && !entry->is_symlink(ignored);
    const auto known = classify(name);
    if (known && (!directory || known->kind != FileKind::misnamed)) {
      SourceFile file;
      file.path = relative_to(root, entry->path());
      file.kind = known->kind;
      file.nox = known->nox;
      if (known->kind != FileKind::misnamed) read_into(file, entry->path());
      files.push_back(std::move(file));
    } else if (!name.starts_with('.') && is_link_to_definitions(entry->path())) {
      SourceFile link;
      link.path = relative_to(root, entry->path());
      link.problem = fmt::format(
          "is a link to the folder \"{}\", and such links are not searched; put the definitions here, or a "
          "link to each file",
          fs::read_symlink(entry->path(), ignored).string());
      files.push_back(std::move(link));
    } else if (directory && !name.starts_with('.')) {
      const auto unreadable = read_below(root, entry->path(), files);
      // Gone since it was listed: it is absent. Anything else hides definitions that may well be there.
      if (!unreadable || unreadable == std::errc::no_such_file_or_directory ||
          unreadable == std::errc::not_a_directory)
        continue;
      SourceFile shut;
      shut.path = relative_to(root, entry->path()) + '/';
      shut.kind = FileKind::folder;
      shut.problem = "cannot be read: " + unreadable.message();
      files.push_back(std::move(shut));
    }
  }
  return error;
}

}  // namespace

std::string_view to_string(FileKind kind) {
  for (const auto& [name, value] : kKinds) {
    if (value == kind) return name;
  }
  return kind == FileKind::folder ? "folder" : "misnamed";
}

std::optional<FileName> classify(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (is_leftover(name)) return std::nullopt;
  const auto lower = to_lower(name);
  if (lower.ends_with(".yaml.txt") || lower.ends_with(".yml.txt") || lower.ends_with(".yml")) {
    // Only a name that says its kind was meant as a definition; any other .yml belongs to someone else.
    const auto cut = lower.find(".y", lower.size() - (lower.ends_with(".txt") ? 9 : 4));
    const auto renamed = std::string(name.substr(0, cut)) + ".yaml";
    const auto would_be = classify(renamed);
    if (!would_be || (would_be->kind == FileKind::misnamed && would_be->suggestion.empty()))
      return std::nullopt;
    return misnamed(would_be->nox, "definitions end in .yaml; this file is skipped", renamed);
  }
  if (!lower.ends_with(".yaml")) return std::nullopt;
  auto stem = name.substr(0, name.size() - 5);
  const bool nox = to_lower(stem).ends_with(".nox");
  if (nox) stem.remove_suffix(4);
  const auto dot = stem.rfind('.');
  if (dot != std::string_view::npos && dot > 0) {
    const auto kind = kind_of(stem.substr(dot + 1));
    if (kind && name.ends_with(nox ? ".nox.yaml" : ".yaml")) return FileName{*kind, nox, "", ""};
  }
  return misnamed_yaml(stem, nox);
}

std::string hash_text(std::string_view text) {
  const auto hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

SourceFile make_source_file(std::string path, std::string text) {
  SourceFile file;
  const auto name = classify(path);
  file.kind = name ? name->kind : FileKind::misnamed;
  file.nox = name && name->nox;
  file.path = std::move(path);
  file.text = std::move(text);
  file.hash = hash_text(file.text);
  return file;
}

Result<std::vector<SourceFile>> read_folder(const fs::path& root) {
  std::vector<SourceFile> files;
  std::error_code error;
  if (const auto status = fs::status(root, error); !fs::exists(status) || !fs::is_directory(status)) {
    if (error && status.type() != fs::file_type::not_found)
      return fail(error_code_for_errno(error.value()), "cannot be read: " + error.message(), root.string());
    return fail(ErrorCode::not_found, fmt::format("there is no definitions folder \"{}\"", root.string()));
  }
  if (const auto unreadable = read_below(root, root, files)) {
    return fail(error_code_for_errno(unreadable.value()), "cannot be read: " + unreadable.message(),
                root.string());
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace sluice::definition
