// What the definitions say, as plain values: `definition` fills them, the steps of a run read them.
#pragma once

#include "base/secret.h"
#include "model/value.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// Where a definition stands, for messages: path relative to the definitions root, line and column from 1.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

enum class Format { automatic, json, ndjson, csv };
enum class LoadMode { sync, upsert, append, replace };
enum class Vanished { keep, soft_delete, remove };
enum class ChangeLog { off, keys, full };
enum class OnBreach { fail, warn };
enum class RunOnStartup { never, always, if_missed, if_never_loaded };
enum class Missed { skip, once, all };
enum class NewColumns { add, ignore };

std::string_view to_string(Format);
std::string_view to_string(LoadMode);
std::string_view to_string(Vanished);
std::string_view to_string(ChangeLog);
std::string_view to_string(OnBreach);
std::string_view to_string(RunOnStartup);
std::string_view to_string(Missed);
std::string_view to_string(NewColumns);

// A share of the live rows before the run, or an absolute count. Shares count from 50 rows up.
struct Limit {
  double value = 0;
  bool share = false;  // value 0.1 = 10%
  friend bool operator==(const Limit&, const Limit&) = default;
};
std::string to_string(const Limit&);

struct AuthSpec {
  enum class Kind { none, basic, bearer, api_key };
  Kind kind = Kind::none;
  std::string user;       // basic
  Secret password;        // basic
  Secret token;           // bearer
  std::string name;       // apiKey: header or query parameter name
  bool in_query = false;  // apiKey
  Secret key;             // apiKey
};

struct RetrySpec {  // of HTTP requests
  int limit = 4;    // tries after the first
  std::chrono::milliseconds base{500};
  std::chrono::milliseconds max{30'000};
  std::chrono::milliseconds max_wait{120'000};  // the longest Retry-After that is waited out
  std::vector<int> statuses = {408, 425, 429, 500, 502, 503, 504};
};

struct TimeoutSpec {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds idle{60'000};
  std::chrono::milliseconds total{0};  // 0 = none
};

struct CsvSpec {
  std::optional<char> delimiter;  // nothing = find out
  std::optional<char> quote;      // '\0' = no quoting
  std::optional<bool> header;
  int skip_lines = 0;
  std::string encoding;             // "" = by mark or bytes; "utf-8" "utf-16" "windows-1252" "iso-8859-1"
  std::optional<char> decimal;      // ',' or '.'
  std::optional<std::string> null;  // this unquoted text is NULL, besides the empty field
};

struct DecodeSpec {
  Format format = Format::automatic;
  std::string
      records;  // JSON path of the records ("", "$.data.items[*]", "data.items"); "" = find the one array
  CsvSpec csv;
};

struct SourceSpec {
  enum class Kind { file, http };
  Kind kind = Kind::file;
  std::string name;            // for messages; "" = position
  std::filesystem::path file;  // absolute; the last part may be a glob
  std::string url;
  // Parts of the URL's path that ${…} brought from outside the definition: they may be keys.
  std::vector<Secret> url_secrets;
  std::vector<std::pair<std::string, std::string>> headers;
  AuthSpec auth;
  TimeoutSpec timeouts;
  RetrySpec retry;
  std::uint64_t max_bytes = 4ull << 30;  // decoded size cap
  DecodeSpec decode;
  std::int64_t minimum_expected_records = 0;
  Place place;
};

// The URL for people: what is or may be secret in it is ***.
std::string shown_url(const SourceSpec& source);

struct ColumnSpec {
  std::string name;  // target column
  std::optional<ValueType> type;
  int precision = 0;
  int scale = 0;
  std::string from;  // "" = the same name
  bool required = false;
  int max_width = 0;  // Nox entities: for messages and DDL; 0 = none
  Place place;
};

struct TargetSpec {
  std::string database;  // "" = the service's
  std::string table;
  std::string schema;                    // PostgreSQL
  std::vector<std::string> key;          // target column names
  std::vector<ColumnSpec> columns;       // declared columns; with closed_columns the only ones
  bool closed_columns = false;           // Nox entity: fields it does not declare are ignored
  bool case_insensitive_fields = false;  // Nox entity: field names match without case
};

struct GuardSpec {
  std::optional<std::int64_t> minimum_expected_records;  // nothing = 1 for sync and replace, else 0
  bool minimum_warns = false;                            // Nox dialect: a missed minimum warns
  std::optional<Limit> max_deletes = Limit{0.10, true};
  std::optional<Limit> max_shrink;
  std::optional<Limit> max_rejects = Limit{0.01, true};
  OnBreach on_breach = OnBreach::fail;
};

struct JobRetrySpec {  // of whole runs
  int limit = 3;       // attempts = limit + 1
  std::chrono::milliseconds delay{60'000};
  bool exponential = true;
  std::optional<int> double_delay_limit;  // at most so many doublings
  std::chrono::milliseconds max_delay{900'000};
};

struct ScheduleSpec {
  std::string phrase;  // English or cron; "" with manual
  bool manual = false;
  std::string timezone;  // resolved: loader's, else service's, else UTC
  std::string anchor;    // date-time text for true intervals, "" = none
  RunOnStartup run_on_startup = RunOnStartup::if_never_loaded;
  Missed missed = Missed::once;
  std::chrono::milliseconds catch_up_window{86'400'000};
  std::chrono::milliseconds timeout{0};  // of one attempt; 0 = none
  JobRetrySpec retry;
  Place place;
};

struct RejectSpec {
  std::chrono::milliseconds keep{30ll * 86'400'000};
  int sample = 1000;  // most rejects kept a run; counts are exact
  bool raw = true;
};

struct LoaderSpec {
  std::string name;
  std::string description;
  std::vector<std::string> tags;
  bool enabled = true;
  bool nox = false;  // written in the Nox dialect
  ScheduleSpec schedule;
  std::vector<SourceSpec> sources;
  LoadMode mode = LoadMode::sync;
  Vanished vanished = Vanished::keep;
  ChangeLog change_log = ChangeLog::full;
  std::vector<std::string> cursor_columns;  // Nox MergeNew: date columns that say "changed since"
  NewColumns new_columns = NewColumns::add;
  TargetSpec target;
  GuardSpec guards;
  RejectSpec rejects;
  std::size_t memory_limit = 256u << 20;  // bytes a run
  Place place;
};

struct ServiceSpec {
  std::string name = "sluice";
  std::string timezone = "UTC";
  std::string database;          // sqlite:PATH (absolute once loaded) or postgres://…; "" = not stated
  std::string database_problem;  // why the stated database cannot be used (provider not supported)
  std::vector<std::string> allowed_hosts;
  Place place;
};

}  // namespace sluice
