#include "api/change_json.h"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>

namespace sluice::api {
namespace {

Json side(const Json& cell, const char* name) { return cell.contains(name) ? cell[name] : Json(nullptr); }

Json key_json(const std::string& text) {
  Json list = Json::array();
  const auto key = Json::parse(text.empty() ? "{}" : text, nullptr, false);
  if (!key.is_object()) return list;
  for (const auto& [name, value] : key.items()) list.push_back({{"name", name}, {"value", value}});
  return list;
}

Json columns_json(const std::string& text) {
  Json list = Json::array();
  const auto columns = Json::parse(text.empty() ? "[]" : text, nullptr, false);
  if (columns.is_array()) {
    for (const auto& cell : columns) {
      list.push_back({{"name", cell.value("name", "")},
                      {"before", side(cell, "before")},
                      {"after", side(cell, "after")}});
    }
  } else if (columns.is_object() && columns.contains("rows")) {
    // A first load is one entry with the number of its rows.
    list.push_back({{"name", "rows"}, {"before", nullptr}, {"after", columns["rows"]}});
  }
  return list;
}

}  // namespace

Json change_json(const history::LoggedEntry& change) {
  return {{"op", change.op}, {"key", key_json(change.key)}, {"columns", columns_json(change.cells)}};
}

}  // namespace sluice::api
