// From normalised maps to specs. Each function reports into the context; what it returns is usable only when
// nothing in its file is an error.
#pragma once

#include "definition/context.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::definition {

// A data source as a source sees it.
struct DataSource {
  enum class Kind { folder, http, unavailable };
  std::string name;
  std::string file;  // of the definition
  Place place;
  Kind kind = Kind::unavailable;
  std::string unavailable;  // what it would read: "Excel files"
  Format format = Format::automatic;
  std::filesystem::path folder;  // absolute
  std::string base_url;
  std::vector<std::string> filled_in;  // into base_url, see Node
  std::vector<std::pair<std::string, std::string>> headers;
  AuthSpec auth;
  TimeoutSpec timeouts;
  RetrySpec retry;
  std::uint64_t max_bytes = SourceSpec{}.max_bytes;
};

struct Relation {
  std::string entity;
  Place place;
};

struct Entity {
  std::string name;
  std::string file;
  Place place;
  TargetSpec target;
  std::vector<Relation> parents;       // add {Entity}Id
  std::vector<Relation> key_entities;  // {Entity}Id is part of the key
};

// What a loader may refer to. Names that are defined, but not validly, say so.
struct Known {
  ServiceSpec service;
  std::string service_file;
  const Node* defaults = nullptr;
  std::map<std::string, DataSource, std::less<>> data_sources;
  std::map<std::string, Entity, std::less<>> entities;
  std::map<std::string, std::string, std::less<>> broken_data_sources;  // name -> file
  std::map<std::string, std::string, std::less<>> broken_entities;
};

ServiceSpec build_service(Context& context, const Node& service);
DataSource build_data_source(Context& context, const Node& data_source);
Entity build_entity(Context& context, const Node& entity);
// After all entities are known: adds the columns that come from other entities.
void link_entity(Context& context, Entity& entity,
                 const std::map<std::string, Entity, std::less<>>& entities);

SourceSpec build_source(Context& context, const Node& source, const Known& known);
LoaderSpec build_loader(Context& context, const Node& loader, const Known& known);
// All but its schedule.
TaskSpec build_task(Context& context, const Node& task, const Known& known);
// A name stands in URLs, file names, tables and logs. Null: there is none.
void check_name(Context& context, const Node* name);

// Of a loader or a job. Whether the names are those of something is for check() to say.
After build_after(Context& context, const Node& root);
Pacing build_pacing(Context& context, const Node& root);
// Translates the phrase; nothing when it was refused. `what`: "a loader", "a job". What runs after others
// needs no phrase.
std::optional<english_cron::Translation> build_schedule(Context& context, const Node& root,
                                                        const Known& known, std::string_view what,
                                                        const After& after, ScheduleSpec& schedule);

AuthSpec build_auth(Context& context, const Node* auth);
TimeoutSpec build_timeouts(const Node* timeouts, TimeoutSpec fallback);
RetrySpec build_retry(const Node* retry, RetrySpec fallback);
std::vector<std::pair<std::string, std::string>> build_headers(Context& context, const Node* headers);

// "Source=File;Path=./data/;" -> the value of a key, without case; empty when it is not there.
std::string option_of(std::string_view options, std::string_view key);
// Whether the text is an http or https URL with a host; else reports what is wrong.
bool check_url(Context& context, const Node& node, std::string_view url);
// base + "/" + path with exactly one slash between them.
std::string join_url(std::string_view base, std::string_view path);
// A sqlite: or postgres: URL; relative SQLite paths are made absolute. Reports anything else.
std::string build_database_url(Context& context, const Node& node);

// Exact, else (Nox dialect) the only one without case.
template <class Map>
auto find_named(const Map& map, std::string_view name, bool any_case) {
  auto found = map.find(name);
  if (found != map.end() || !any_case) return found;
  for (auto at = map.begin(); at != map.end(); ++at) {
    if (at->first.size() == name.size() &&
        std::equal(name.begin(), name.end(), at->first.begin(), [](unsigned char a, unsigned char b) {
          return (a | 0x20) == (b | 0x20) && (a == b || ((a | 0x20) >= 'a' && (a | 0x20) <= 'z'));
        }))
      return at;
  }
  return map.end();
}

}  // namespace sluice::definition
