#include "service/shared_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sluice::service {

using definition::SourceFile;

Result<std::map<std::string, std::string>> SharedCatalog::adopt(
    std::vector<SourceFile>& files, const std::vector<jobs::StoredDefinition>& stored) {
  Hashes own;
  for (const SourceFile& file : files) {
    if (file.kind != definition::FileKind::folder && !file.hash.empty()) own[file.path] = file.hash;
  }
  SLUICE_TRY(const auto foreign, shared_.declared_elsewhere(node_));
  std::map<std::string, std::string> by_node;  // path -> who declares it too
  for (const auto& one : foreign) by_node.emplace(one.path, one.node);
  std::map<std::string, std::string> why;
  std::vector<SourceFile> added;
  for (const auto& definition : stored) {
    const auto other = by_node.find(definition.path);
    if (other == by_node.end()) continue;
    const auto file = std::ranges::find(files, definition.path, &SourceFile::path);
    if (file == files.end()) {
      added.push_back(definition::make_source_file(definition.path, definition.text));
      added.back().accepted = true;
      continue;
    }
    if (file->hash == definition.hash) continue;
    // A file that changed under our eyes is a proposal; one that came with the node is not.
    const bool proposed =
        declared_ && (!declared_->contains(file->path) || declared_->at(file->path) != own[file->path]);
    if (proposed) pending_[file->path] = definition.hash;
    // One that was not accepted, as it is broken, stays a proposal until another one is.
    if (const auto pending = pending_.find(file->path);
        pending != pending_.end() && pending->second == definition.hash)
      continue;
    *file = definition::make_source_file(definition.path, definition.text);
    file->accepted = true;
    why[definition.path] = fmt::format(
        "this node's file differs from the version that all nodes run, which node {} declares too; save it "
        "again here to make it everybody's, or bring it up to date",
        other->second);
  }
  files.insert(files.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  std::ranges::sort(files, {}, &SourceFile::path);
  if (!declared_ || *declared_ != own) {
    std::vector<jobs::Declaration> declarations;
    for (const auto& [path, hash] : own) declarations.push_back({path, hash});
    SLUICE_CHECK(shared_.declare(node_, declarations));
    declared_ = std::move(own);
  }
  return why;
}

Result<bool> SharedCatalog::changed_elsewhere() {
  SLUICE_TRY(auto now, shared_.state(node_));
  const bool changed = now != seen_;
  seen_ = std::move(now);
  return changed;
}

}  // namespace sluice::service
