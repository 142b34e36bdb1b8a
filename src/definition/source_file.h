// The files of a definitions folder: which names mean what, and their bytes as they were read.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::definition {

enum class FileKind {
  service,
  data_source,
  entity,
  loader,
  job,
  misnamed,  // looks like a definition, but its name does not say so: reported, never skipped in silence
  folder,    // a sub-folder that cannot be read: nobody knows what it holds
};
// "service" "dataSource" "entity" "loader" "job" "misnamed" "folder"
std::string_view to_string(FileKind kind);

struct SourceFile {
  std::string path;  // relative to the root, with '/'; a folder's ends with one
  FileKind kind = FileKind::misnamed;
  bool nox = false;  // *.nox.yaml
  std::string text;
  std::string hash;  // of the text, 32 hexadecimal digits
  // This text ran before: where two files claim one name or table, the accepted one keeps it and the other
  // one is refused. Without it (or with it on both) both are refused.
  bool accepted = false;
  std::string problem;  // why the file could not be read ("" = read); the text is then empty
};

// A definition is at most this long.
inline constexpr std::size_t kMaxFileSize = 1u << 20;

struct FileName {
  FileKind kind = FileKind::misnamed;
  bool nox = false;
  std::string suggestion;  // misnamed: the likely right name, or empty
  std::string message;     // misnamed: what is wrong with the name
};
// Nothing for files that are none of our business (README.md, an editor's temporary files, …).
std::optional<FileName> classify(std::string_view path);

std::string hash_text(std::string_view text);

// Makes one SourceFile of a text, for callers that keep texts elsewhere (stored definitions, tests).
SourceFile make_source_file(std::string path, std::string text);

// Every definition below the root, sub-folders included (hidden ones and links to folders are not searched;
// a link to a folder that holds definitions comes as `misnamed` with `problem` set), sorted by path. A file
// that cannot be read, is too large or is no regular file comes with `problem` set, and so does a sub-folder
// that cannot be read (kind `folder`). Fails only when the root itself cannot be read.
Result<std::vector<SourceFile>> read_folder(const std::filesystem::path& root);

}  // namespace sluice::definition
