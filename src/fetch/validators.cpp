#include "fetch/validators.h"

#include <nlohmann/json.hpp>

namespace sluice::fetch {
namespace {

using nlohmann::json;

template <class T>
void put(json& object, const char* name, const T& value) {
  if (value != T{}) object[name] = value;
}

template <class T>
void take(const json& object, const char* name, T& value) {
  if (const auto at = object.find(name); at != object.end()) value = at->get<T>();
}

}  // namespace

std::string to_json(const std::vector<Validators>& validators) {
  json array = json::array();
  for (const auto& one : validators) {
    json object = json::object();
    put(object, "location", one.location);
    put(object, "etag", one.etag);
    put(object, "lastModified", one.last_modified);
    put(object, "bodyHash", one.body_hash);
    put(object, "contentType", one.content_type);
    put(object, "length", one.length);
    put(object, "mtimeNs", one.mtime_ns);
    put(object, "ctimeNs", one.ctime_ns);
    put(object, "inode", one.inode);
    array.push_back(std::move(object));
  }
  // Headers and paths may hold any bytes; a replaced byte only costs the short-cut, never correctness.
  return array.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<Validators>> validators_from_json(std::string_view text) {
  try {
    const json array = json::parse(text);
    if (!array.is_array()) return fail(ErrorCode::malformed, "stored validators are not a JSON array");
    std::vector<Validators> result;
    for (const auto& object : array) {
      auto& one = result.emplace_back();
      take(object, "location", one.location);
      take(object, "etag", one.etag);
      take(object, "lastModified", one.last_modified);
      take(object, "bodyHash", one.body_hash);
      take(object, "contentType", one.content_type);
      take(object, "length", one.length);
      take(object, "mtimeNs", one.mtime_ns);
      take(object, "ctimeNs", one.ctime_ns);
      take(object, "inode", one.inode);
    }
    return result;
  } catch (const json::exception& error) {
    return fail(ErrorCode::malformed, std::string("stored validators cannot be read: ") + error.what());
  }
}

}  // namespace sluice::fetch
