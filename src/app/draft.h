// A definition in the making: settled by looking at the source, by `check`, and by a plan of its first run.
#pragma once

#include "app/command.h"
#include "app/survey.h"
#include "definition/catalog.h"
#include "definition/loader_template.h"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::app {

struct InitOptions {
  std::string name;    // "" = made of the source's
  std::string source;  // "" = an example address, which is not looked at
  std::string records;
  std::string schedule = definition::TemplateOptions{}.schedule;
  std::vector<std::string> key;
  bool offline = false;
  bool force = false;
  bool print = false;
};

class Draft {
 public:
  // Both outlive the draft.
  Draft(const InitOptions& options, const GlobalOptions& globals, std::stop_token stop);

  // Decides what the text says. Nothing when it came to something; else the exit code, after saying why.
  std::optional<int> settle();

  const std::string& name() const { return words_.name; }
  const std::vector<std::string>& key() const { return words_.key; }
  std::filesystem::path path() const { return globals_.definitions / (words_.name + ".loader.yaml"); }
  std::string text() const { return definition::loader_template(words_); }
  const std::optional<Survey>& survey() const { return survey_; }   // nothing when it was not looked at
  const std::vector<std::string>& notes() const { return notes_; }  // doubts, for people

 private:
  Result<void> check_words() const;
  Result<void> check_key() const;
  std::optional<int> check();
  std::optional<int> look();
  Receipt planned();
  template <class Use>
  auto with_request(Use use);
  int failed(Error error) const;

  const InitOptions& options_;
  const GlobalOptions& globals_;
  std::stop_token stop_;
  definition::TemplateOptions words_;
  definition::CatalogPtr catalog_;
  const definition::LoaderDefinition* loader_ = nullptr;  // in the catalog
  std::optional<Survey> survey_;
  std::vector<std::string> notes_;
};

}  // namespace sluice::app
