// Words that `sluice init` makes of what was typed.
#pragma once

#include "app/survey.h"
#include "definition/loader_template.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace sluice::app {

// "https://example.org/v1/exchange-rates.json?x=1" -> "ExchangeRates"; "Loader" when nothing is left.
std::string name_from_source(std::string_view source);

// A path as the definition has to say it, whose paths start at its own folder: one that leads nowhere from
// there, but somewhere from the folder the user stands in, is rewritten.
std::string source_from(const std::filesystem::path& definitions, const std::string& source);

// The columns with their types, and what they would say about a key.
void describe(const Survey& survey, definition::TemplateOptions& options);
// The key that was settled on (or none), with its reason.
void choose_key(const Survey& survey, const std::vector<std::string>& key, bool given,
                definition::TemplateOptions& options);

}  // namespace sluice::app
