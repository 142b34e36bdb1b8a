// Several nodes, each with a folder of its own, over one store.
#include "service/catalog_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

namespace sluice::service {
namespace {

namespace fs = std::filesystem;

// What the database keeps; the real one has its own tests.
class MemoryStore final : public jobs::DefinitionStore, public jobs::SharedDefinitions {
 public:
  Result<void> save(std::span<const jobs::StoredDefinition> definitions) override {
    for (const auto& one : definitions) kept[{one.kind, one.name}] = one;
    return {};
  }
  Result<std::vector<jobs::StoredDefinition>> load() override {
    std::vector<jobs::StoredDefinition> all;
    for (const auto& [key, one] : kept) all.push_back(one);
    return all;
  }
  Result<void> set_error(std::string_view kind, std::string_view name, std::string_view error) override {
    kept[{std::string(kind), std::string(name)}].error = error;
    return {};
  }
  Result<void> remove(std::string_view kind, std::string_view name) override {
    kept.erase({std::string(kind), std::string(name)});
    return {};
  }
  Result<void> declare(std::string_view node, std::span<const jobs::Declaration> files) override {
    declared[std::string(node)].assign(files.begin(), files.end());
    return {};
  }
  Result<std::vector<jobs::ForeignDeclaration>> declared_elsewhere(std::string_view node) override {
    std::vector<jobs::ForeignDeclaration> all;
    for (const auto& [other, files] : declared) {
      if (other == node) continue;
      for (const auto& file : files) all.push_back({file.path, file.hash, other});
    }
    return all;
  }
  Result<std::string> state(std::string_view node) override {
    std::string text;
    for (const auto& [key, one] : kept) text += one.path + one.hash;
    const auto others = declared_elsewhere(node).value();
    for (const auto& one : others) text += one.node + one.path + one.hash;
    return text;
  }
  std::map<std::pair<std::string, std::string>, jobs::StoredDefinition> kept;
  std::map<std::string, std::vector<jobs::Declaration>> declared;
};

// One node: its folder, and what it makes of it.
class TestNode {
 public:
  TestNode(MemoryStore& store, Clock& clock, const std::string& id)
      : folder_(fs::temp_directory_path() / fs::path("sluice-shared-" + id + std::to_string(::getpid()))),
        shared_(store, id) {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    std::ofstream(folder_ / "data.json") << "[]";
    definition::CheckOptions options;
    options.root = folder_;
    keeper_ = std::make_unique<CatalogKeeper>(std::move(options), &store, clock);
    keeper_->share(shared_);
  }
  ~TestNode() { fs::remove_all(folder_); }
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  void write(const std::string& name, const std::string& schedule) const {
    std::ofstream(folder_ / (name + ".loader.yaml"))
        << "name: " << name << "\nschedule: " << schedule << "\nsource: {file: data.json}\nkey: id\n";
  }
  void remove(const std::string& name) const { fs::remove(folder_ / (name + ".loader.yaml")); }
  CatalogKeeper::Changed reload() {
    auto changed = keeper_->reload();
    EXPECT_TRUE(changed) << changed.error().describe();
    return changed.value_or(CatalogKeeper::Changed{});
  }
  // The phrase that runs; empty: no such loader.
  std::string phrase(const std::string& name) const {
    const auto definitions = keeper_->current();
    const auto* loader = definitions->catalog->find(name);
    return loader == nullptr ? std::string() : loader->spec.schedule.phrase;
  }
  bool differs(const std::string& name) const {
    const auto definitions = keeper_->current();
    for (const auto& file : definitions->files) {
      if (file.report.file == name + ".loader.yaml") return file.differs;
    }
    return false;
  }
  std::size_t warnings() const { return keeper_->current()->problems.size(); }
  SharedCatalog& shared() { return shared_; }

 private:
  const fs::path folder_;
  SharedCatalog shared_;
  std::unique_ptr<CatalogKeeper> keeper_;
};

class SharedCatalogTest : public testing::Test {
 protected:
  ManualClock clock_{Timestamp(std::chrono::hours(500'000))};
  MemoryStore store_;
  TestNode a_{store_, clock_, "a"}, b_{store_, clock_, "b"};
};

TEST_F(SharedCatalogTest, a_node_with_fewer_files_takes_nothing_away) {
  a_.write("One", "every day at 1am");
  a_.write("Two", "every day at 2am");
  a_.reload();
  b_.write("One", "every day at 1am");
  EXPECT_TRUE(b_.reload().removed.empty());
  EXPECT_EQ(b_.phrase("Two"), "every day at 2am") << "what one node declares runs on all";
  EXPECT_EQ(store_.kept.size(), 2u);
  EXPECT_EQ(b_.warnings(), 0u);
}

TEST_F(SharedCatalogTest, what_no_living_node_declares_is_gone) {
  a_.write("One", "every day at 1am");
  a_.reload();
  b_.write("One", "every day at 1am");
  b_.reload();
  a_.remove("One");
  EXPECT_TRUE(a_.reload().removed.empty()) << "b has it";
  b_.remove("One");
  EXPECT_EQ(b_.reload().removed, std::vector<std::string>{"One"});
  EXPECT_TRUE(store_.kept.empty());
  EXPECT_EQ(a_.reload().removed, std::vector<std::string>{"One"});
}

TEST_F(SharedCatalogTest, a_node_that_comes_with_another_text_runs_the_stored_one_and_says_so) {
  a_.write("One", "every day at 1am");
  a_.reload();
  b_.write("One", "every day at 9am");
  b_.reload();
  EXPECT_EQ(b_.phrase("One"), "every day at 1am");
  EXPECT_TRUE(b_.differs("One"));
  EXPECT_EQ(b_.warnings(), 1u);
  EXPECT_FALSE(a_.differs("One"));
  // The other one leaves: its own file is what there is.
  store_.declared.erase("a");
  b_.reload();
  EXPECT_EQ(b_.phrase("One"), "every day at 9am");
  EXPECT_FALSE(b_.differs("One"));
}

TEST_F(SharedCatalogTest, a_file_saved_while_its_node_looks_on_becomes_everybodys) {
  for (auto* node : {&a_, &b_}) {
    node->write("One", "every day at 1am");
    node->reload();
  }
  static_cast<void>(a_.shared().changed_elsewhere());
  b_.write("One", "every day at 9am");
  b_.reload();
  EXPECT_EQ(b_.phrase("One"), "every day at 9am");
  EXPECT_TRUE(a_.shared().changed_elsewhere().value());
  a_.reload();
  EXPECT_EQ(a_.phrase("One"), "every day at 9am");
  EXPECT_TRUE(a_.differs("One"));
  EXPECT_FALSE(a_.shared().changed_elsewhere().value());
  a_.write("One", "every day at 9am");
  a_.reload();
  EXPECT_FALSE(a_.differs("One"));
}

TEST_F(SharedCatalogTest, a_broken_file_of_one_node_changes_nothing_for_the_others) {
  for (auto* node : {&a_, &b_}) {
    node->write("One", "every day at 1am");
    node->reload();
  }
  b_.write("One", "whenever it rains");
  for (int again = 0; again < 2; ++again) {
    b_.reload();
    EXPECT_EQ(b_.phrase("One"), "every day at 1am");
    EXPECT_FALSE(b_.differs("One")) << "it is broken, which is told instead";
    EXPECT_GE(b_.warnings(), 1u);
  }
  a_.reload();
  EXPECT_EQ(a_.phrase("One"), "every day at 1am");
  EXPECT_FALSE(a_.differs("One"));
}

}  // namespace
}  // namespace sluice::service
