// The keys of a source, and of what a source and a data source share.
#include "definition/field.h"

namespace sluice::definition {
namespace {

constexpr Choice kFormats[] = {
    {"auto", "found out from the bytes"},        {"json", "a JSON document; records are found in it"},
    {"ndjson", "one JSON object a line"},        {"csv", "delimited text"},
    {"xml", "XML elements", Stage::later},       {"xlsx", "an Excel sheet", Stage::later},
    {"parquet", "a Parquet file", Stage::later}, {"fixedWidth", "columns by position", Stage::later}};
constexpr Choice kAfterLoad[] = {{"keep", "leave the file where it is"},
                                 {"delete", "delete it", Stage::later},
                                 {"move to DIR", "move it to a folder", Stage::later, "move"}};
constexpr Choice kApiKeyPlace[] = {{"header", "as a request header"}, {"query", "as a query parameter"}};
constexpr Choice kEncodings[] = {
    {"auto", "by byte order mark, else by the bytes: utf-8, utf-16 or windows-1252"},
    {"utf-8", "UTF-8"},
    {"utf-16", "UTF-16, by byte order mark or little endian"},
    {"windows-1252", "Western European, Windows"},
    {"iso-8859-1", "Western European, ISO"}};
constexpr Choice kHeader[] = {{"auto", "found out from the first lines"},
                              {"true", "the first line names the columns"},
                              {"false", "columns are named column1, column2, …"}};

constexpr Field kBasicFields[] = {
    Field{"user", Type::text, "user name", "", "reader"}.must(),
    Field{"password", Type::secret, "password", "", "\"${env:RATES_PASSWORD}\""}.must(),
};
constexpr Concept kBasic{"basic authentication", kBasicFields};

constexpr Field kApiKeyFields[] = {
    {"name", Type::text, "name of the header or parameter", "X-API-Key", "X-API-Key"},
    Field{"value", Type::secret, "the key", "", "\"${env:RATES_KEY}\"", "key"}.must(),
    Field{"in", Type::choice, "where the key is sent", "header", "header"}.one_of(kApiKeyPlace),
};
constexpr Concept kApiKey{"an API key", kApiKeyFields,
                          [](std::string_view) { return std::string_view("value"); }, "the key itself"};

constexpr Field kAuthFields[] = {
    {"token", Type::secret, "bearer token", "", "\"${env:RATES_TOKEN}\"", "bearer"},
    Field{"basic", Type::map, "user and password"}.of(kBasic),
    Field{"apiKey", Type::map, "a key in a header or parameter"}.of(kApiKey),
    Field{"oauth2", Type::any, "token from an OAuth 2 server"}.later(),
};
constexpr Concept kAuth{"auth", kAuthFields};

constexpr Field kTimeoutFields[] = {
    {"connect", Type::duration, "until the connection stands", "10s", "5s"},
    {"idle", Type::duration, "with less than 1 KiB arriving", "60s", "30s"},
    {"total", Type::duration, "for the whole transfer; 0 = none", "0", "10m"},
};
constexpr Concept kTimeouts{"timeouts", kTimeoutFields,
                            [](std::string_view) { return std::string_view("total"); }, "the total"};

constexpr Field kRetryFields[] = {
    Field{"limit", Type::integer, "tries after the first", "4", "4"}.at_most(100),
    {"base", Type::duration, "first pause; doubles, with full jitter", "500ms", "500ms"},
    {"max", Type::duration, "longest pause", "30s", "30s"},
    {"maxWait", Type::duration, "longest Retry-After that is waited out", "2m", "2m"},
    Field{"statuses", Type::integers, "HTTP statuses tried again", "[408, 425, 429, 500, 502, 503, 504]",
          "[429, 503]"}
        .at_least(100)
        .at_most(599),
};
constexpr Concept kRetry{"request-retry", kRetryFields,
                         [](std::string_view) { return std::string_view("limit"); }, "the limit"};

constexpr Field kCsvFields[] = {
    {"delimiter", Type::character, "between fields; one character or `tab`", "auto", "\";\""},
    {"quote", Type::character, "around fields; one character or `none`", "auto", "'\"'"},
    Field{"header", Type::choice, "does the first line name the columns", "auto", "true"}.or_boolean().one_of(
        kHeader),
    Field{"skipLines", Type::integer, "lines before the header", "0", "2"}.at_most(1'000'000),
    Field{"encoding", Type::choice, "of the text", "auto", "windows-1252"}.one_of(kEncodings),
    {"decimal", Type::character, "decimal sign, `.` or `,`", "auto", "\",\""},
    {"null", Type::text, "this unquoted text means no value, besides the empty field", "auto", "\"N/A\""},
};
constexpr Concept kCsv{"csv", kCsvFields};

// A scalar source is a URL or a file.
std::string_view url_or_file(std::string_view scalar) {
  return scalar.find("://") != std::string_view::npos ? "url" : "file";
}

constexpr Field kSourceFields[] = {
    {"name", Type::text, "for messages", "", "shop"},
    Field{"extends", Type::text, "another source to start from"}.later(),
    Field{"set", Type::any, "what differs from it"}.later(),
    {"file", Type::text, "path or glob, from the file that holds it; .gz, .zst and .zip are unpacked", "",
     "../sample-data/rates-*.csv"},
    Field{"afterLoad", Type::choice, "what becomes of a loaded file", "keep", "keep"}.one_of(kAfterLoad),
    Field{"order", Type::any, "order of several files"}.later(),
    Field{"onlyNew", Type::any, "skip files loaded before"}.later(),
    {"url", Type::text, "http or https address", "", "https://example.org/v3/countries.json"},
    {"dataSource", Type::text, "name of a data source, with `path`", "", "shopEu"},
    {"path", Type::text, "below the data source's address or folder", "", "/v1/orders.json"},
    {"query", Type::text, "Nox: file name below the data source's folder", "", "country-seeddata.json"},
    Field{"method", Type::any, "HTTP method"}.later(),
    Field{"params", Type::any, "query parameters"}.later(),
    {"headers", Type::named_texts, "HTTP request headers", "", "{Accept: application/json}"},
    Field{"body", Type::any, "request body"}.later(),
    Field{"json", Type::any, "request body as JSON"}.later(),
    Field{"form", Type::any, "request body as a form"}.later(),
    Field{"graphql", Type::any, "GraphQL query"}.later(),
    Field{"format", Type::choice, "how the bytes are read", "auto", "json"}.one_of(kFormats),
    {"records", Type::text, "JSON path of the records; found by itself when there is one array of objects",
     "", "\"$.data.items[*]\""},
    Field{"csv", Type::map, "how CSV is written"}.of(kCsv),
    Field{"pagination", Type::any, "many pages as one source"}.later(),
    Field{"cursor", Type::any, "read only what is new"}.later(),
    Field{"job", Type::any, "asynchronous exports"}.later(),
    {"minimumExpectedRecords", Type::integer, "fewer records from this source fail the run (Nox: warn)", "0",
     "100"},
    Field{"auth", Type::map, "who we are; `{token: …}` is a bearer token"}.of(kAuth),
    Field{"timeouts", Type::map, "how long a request may take"}.of(kTimeouts),
    Field{"retry", Type::map, "requests tried again"}.of(kRetry),
    Field{"tls", Type::any, "certificates"}.later(),
    Field{"rateLimit", Type::any, "requests a second"}.later(),
    Field{"errors", Type::any, "what an answer means"}.later(),
    {"maxBytes", Type::size, "largest size after unpacking", "4GiB", "64MiB"},
};
constexpr Concept kSource{"a source", kSourceFields, url_or_file, "a URL or a file"};

}  // namespace

const Concept& source_concept() { return kSource; }
const Concept& auth_concept() { return kAuth; }
const Concept& http_retry_concept() { return kRetry; }
const Concept& timeouts_concept() { return kTimeouts; }

const Field* find_field(const Concept& concept_table, std::string_view key) {
  for (const auto& field : concept_table.fields) {
    if (field.key == key) return &field;
    std::string_view rest = field.aliases;
    while (!rest.empty()) {
      const auto end = rest.find(' ');
      if (rest.substr(0, end) == key) return &field;
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  return nullptr;
}

}  // namespace sluice::definition
