#include "base/text.h"
#include "definition/build.h"
#include "definition/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::definition {
namespace {

// Shorter values are versions and years: to mask them would blur every message.
constexpr std::size_t kShortestSecret = 4;

Format format_from(std::string_view name) {
  for (const auto format : {Format::json, Format::ndjson, Format::csv}) {
    if (to_string(format) == name) return format;
  }
  return Format::automatic;
}

// "auto" and absent = nothing, "none" = '\0'.
std::optional<char> character_of(const Node* map, std::string_view key) {
  const auto text = text_of(map, key, "auto");
  if (text == "auto") return std::nullopt;
  if (text == "none") return '\0';
  return parse_character(text);
}

CsvSpec build_csv(Context& context, const Node* csv) {
  CsvSpec spec;
  if (csv == nullptr) return spec;
  spec.delimiter = character_of(csv, "delimiter");
  spec.quote = character_of(csv, "quote");
  spec.decimal = character_of(csv, "decimal");
  const auto header = text_of(csv, "header", "auto");
  if (header != "auto") spec.header = header == "true";
  spec.skip_lines = static_cast<int>(integer_of(csv, "skipLines").value_or(0));
  const auto encoding = text_of(csv, "encoding", "auto");
  if (encoding != "auto") spec.encoding = encoding;
  if (const Node* null = child(csv, "null"); null != nullptr && null->value != "auto")
    spec.null = null->value;
  if (spec.decimal && *spec.decimal != '.' && *spec.decimal != ',')
    context.error(*child(csv, "decimal"), "decimal: neither \".\" nor \",\"");
  if (spec.delimiter && (*spec.delimiter == '\n' || *spec.delimiter == '\0' || *spec.delimiter == '"'))
    context.error(*child(csv, "delimiter"), "delimiter: this character cannot separate fields");
  if (spec.delimiter && spec.decimal && *spec.delimiter == *spec.decimal)
    context.error(*child(csv, "decimal"), "decimal: the same character as delimiter");
  return spec;
}

void refuse_placeholders(Context& context, const Node& node) {
  for (const std::string_view begin : {"{cursor.", "{parent.", "{run."}) {
    const auto at = node.value.find(begin);
    if (at == std::string::npos) continue;
    const auto end = std::min(node.value.find('}', at), node.value.size() - 1);
    context.error(place_within(context.document, node, at),
                  fmt::format("{} is not available yet", node.value.substr(at, end - at + 1)));
  }
}

// Formats that a file's name promises and that cannot be read yet.
std::string_view unavailable_format(std::string_view path) {
  const auto lower = to_lower(path);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kEndings = {
      {{".xlsx", "Excel"}, {".xls", "Excel"}, {".parquet", "Parquet"}, {".xml", "XML"}}};
  for (const auto& [ending, name] : kEndings) {
    if (lower.ends_with(ending)) return name;
  }
  return {};
}

void set_file(Context& context, const Node& node, SourceSpec& source, const std::filesystem::path& path) {
  source.kind = SourceSpec::Kind::file;
  source.file = path;
  if (trim(node.value).empty()) {
    context.error(node, "the path of the file is empty");
    return;
  }
  const auto directory = path.parent_path().string();
  if (directory.find_first_of("*?[") != std::string::npos)
    context.error(node, "only the last part of a path may be a pattern", "name the folders");
  if (!path.has_filename()) context.error(node, "names a folder, not a file", "add a pattern, like *.json");
  if (!path_allowed(context.options, path)) {
    const auto real = real_path(path);
    context.forbid(
        node.place(),
        fmt::format("\"{}\"{} is outside the folders that definitions may read", printable(node.value),
                    real == path ? "" : fmt::format(" (really {})", real.string())),
        not_allowed_hint(real));
  }
  if (const auto format = unavailable_format(node.value);
      !format.empty() && source.decode.format == Format::automatic)
    context.error(node, fmt::format("{} files are not available yet (\"{}\")", format, printable(node.value)),
                  "JSON, NDJSON and CSV are");
}

// What came from outside the definition into the path of the URL.
void keep_secrets(SourceSpec& source, const std::vector<std::string>& filled_in) {
  const std::string_view url = source.url;
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? url.npos : url.find('/', scheme + 3);
  if (begin == url.npos) return;
  const auto path = url.substr(begin, url.find_first_of("?#", begin) - begin);
  for (std::string_view part : filled_in) {
    if (const auto host = part.find("://"); host != part.npos)
      part.remove_prefix(std::min(part.find('/', host + 3), part.size()));
    part = part.substr(0, part.find_first_of("?#"));
    while (part.starts_with('/')) part.remove_prefix(1);
    while (part.ends_with('/')) part.remove_suffix(1);
    if (part.size() >= kShortestSecret && path.find(part) != path.npos)
      source.url_secrets.emplace_back(std::string(part));
  }
}

void set_from_data_source(Context& context, const Node& node, SourceSpec& source, const DataSource& from) {
  const Node* path = child(&node, "path") != nullptr ? child(&node, "path") : child(&node, "query");
  if (from.kind == DataSource::Kind::unavailable) {
    context.error(
        *child(&node, "dataSource"),
        fmt::format("the data source \"{}\" reads {}: not available yet{}", from.name, from.unavailable,
                    path == nullptr ? "" : fmt::format(" (\"{}\")", printable(path->value, 80))),
        "JSON and CSV files and HTTP are");
    return;
  }
  if (source.decode.format == Format::automatic) source.decode.format = from.format;
  if (from.kind == DataSource::Kind::folder) {
    if (path == nullptr) {
      context.error(node, fmt::format("a source of \"{}\" needs \"query\": the name of the file", from.name));
      return;
    }
    set_file(context, *path, source, (from.folder / path->value).lexically_normal());
    return;
  }
  source.kind = SourceSpec::Kind::http;
  source.url = join_url(from.base_url, path == nullptr ? "" : path->value);
  keep_secrets(source, from.filled_in);
  if (path != nullptr) keep_secrets(source, path->filled_in);
  auto headers = from.headers;
  for (auto& header : source.headers) {
    std::erase_if(headers, [&](const auto& other) { return iequals(other.first, header.first); });
    headers.push_back(header);
  }
  source.headers = std::move(headers);
}

const DataSource* find_data_source(Context& context, const Node& named, const Known& known) {
  const auto found = find_named(known.data_sources, named.value, context.nox);
  if (found != known.data_sources.end()) return &found->second;
  if (const auto broken = find_named(known.broken_data_sources, named.value, context.nox);
      broken != known.broken_data_sources.end()) {
    context.error(named,
                  fmt::format("the data source \"{}\" is not valid (see {})", named.value, broken->second));
    return nullptr;
  }
  std::vector<std::string_view> names;
  names.reserve(known.data_sources.size());
  for (const auto& [name, data_source] : known.data_sources) names.push_back(name);
  context.error(
      named, fmt::format("there is no data source \"{}\"", printable(named.value, 60)),
      names.empty() ? "define it under dataSources of the service file" : suggest(named.value, names));
  return nullptr;
}

}  // namespace

AuthSpec build_auth(Context& context, const Node* auth) {
  AuthSpec spec;
  if (auth == nullptr) return spec;
  if (auth->entries.size() > 1)
    context.error(*auth->entries[1].key,
                  fmt::format("auth has both \"{}\" and \"{}\"", auth->entries[0].key->value,
                              auth->entries[1].key->value),
                  "keep one");
  if (const Node* token = child(auth, "token")) {
    spec.kind = AuthSpec::Kind::bearer;
    spec.token = Secret(token->value);
    if (token->value.empty()) context.error(*token, "the token is empty");
  } else if (const Node* basic = child(auth, "basic")) {
    spec.kind = AuthSpec::Kind::basic;
    spec.user = text_of(basic, "user");
    spec.password = Secret(text_of(basic, "password"));
  } else if (const Node* key = child(auth, "apiKey")) {
    spec.kind = AuthSpec::Kind::api_key;
    spec.name = text_of(key, "name", "X-API-Key");
    spec.key = Secret(text_of(key, "value"));
    spec.in_query = text_of(key, "in") == "query";
  }
  return spec;
}

TimeoutSpec build_timeouts(const Node* timeouts, TimeoutSpec spec) {
  spec.connect = duration_of(timeouts, "connect").value_or(spec.connect);
  spec.idle = duration_of(timeouts, "idle").value_or(spec.idle);
  spec.total = duration_of(timeouts, "total").value_or(spec.total);
  return spec;
}

RetrySpec build_retry(const Node* retry, RetrySpec spec) {
  if (const auto limit = integer_of(retry, "limit")) spec.limit = static_cast<int>(*limit);
  spec.base = duration_of(retry, "base").value_or(spec.base);
  spec.max = duration_of(retry, "max").value_or(spec.max);
  spec.max_wait = duration_of(retry, "maxWait").value_or(spec.max_wait);
  if (const Node* statuses = child(retry, "statuses")) {
    spec.statuses.clear();
    for (const auto& entry : statuses->entries)
      spec.statuses.push_back(static_cast<int>(parse_integer(entry.value->value).value_or(0)));
  }
  return spec;
}

std::vector<std::pair<std::string, std::string>> build_headers(Context& context, const Node* headers) {
  std::vector<std::pair<std::string, std::string>> result;
  if (headers == nullptr) return result;
  for (const auto& [key, value] : headers->entries) {
    if (key->value.empty() || key->value.find_first_of(" \t\r\n:()<>@,;\\\"/[]?={}") != std::string::npos)
      context.error(*key, fmt::format("\"{}\" is not a header name", printable(key->value, 60)));
    if (value->value.find_first_of("\r\n") != std::string::npos)
      context.error(*value, "a header value is one line");
    refuse_placeholders(context, *value);
    result.emplace_back(key->value, value->value);
  }
  return result;
}

SourceSpec build_source(Context& context, const Node& node, const Known& known) {
  SourceSpec source;
  source.place = node.place();
  source.name = text_of(&node, "name");
  source.decode.format = format_from(text_of(&node, "format", "auto"));
  source.decode.records = text_of(&node, "records");
  source.decode.csv = build_csv(context, child(&node, "csv"));
  source.minimum_expected_records = integer_of(&node, "minimumExpectedRecords").value_or(0);
  source.headers = build_headers(context, child(&node, "headers"));
  const Node* file = child(&node, "file");
  const Node* url = child(&node, "url");
  const Node* named = child(&node, "dataSource");
  const DataSource* from = named == nullptr ? nullptr : find_data_source(context, *named, known);
  source.auth = child(&node, "auth") == nullptr && from != nullptr
                    ? from->auth
                    : build_auth(context, child(&node, "auth"));
  source.timeouts =
      build_timeouts(child(&node, "timeouts"), from == nullptr ? TimeoutSpec{} : from->timeouts);
  source.retry = build_retry(child(&node, "retry"), from == nullptr ? RetrySpec{} : from->retry);
  source.max_bytes =
      parse_size(text_of(&node, "maxBytes")).value_or(from == nullptr ? source.max_bytes : from->max_bytes);
  if ((file != nullptr) + (url != nullptr) + (named != nullptr) != 1) {
    const bool said_wrongly = node.lost("file") || node.lost("url") || node.lost("dataSource");
    if (file == nullptr && url == nullptr && named == nullptr) {
      if (!said_wrongly) context.error(node, "a source needs one of \"url\", \"file\" and \"dataSource\"");
    } else {
      context.error(node, "a source has only one of \"url\", \"file\" and \"dataSource\"");
    }
    return source;
  }
  if (named == nullptr) {
    for (const std::string_view key : {"query", "path"}) {
      if (const Node* below = child(&node, key))
        context.error(*below, fmt::format("\"{}\" needs a \"dataSource\" that it is below", key));
    }
  }
  for (const Node* place : {file, url, child(&node, "path"), child(&node, "query")}) {
    if (place != nullptr) refuse_placeholders(context, *place);
  }
  if (file != nullptr) {
    set_file(context, *file, source, absolute_path(context.options, file->file, file->value));
  } else if (url != nullptr) {
    source.kind = SourceSpec::Kind::http;
    source.url = url->value;
    keep_secrets(source, url->filled_in);
    check_url(context, *url, url->value);
  } else if (from != nullptr) {
    set_from_data_source(context, node, source, *from);
  }
  return source;
}

}  // namespace sluice::definition
