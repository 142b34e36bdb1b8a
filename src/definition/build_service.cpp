#include "base/text.h"
#include "definition/build.h"
#include "definition/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace sluice::definition {
namespace {

namespace fs = std::filesystem;

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

// The connection string: given, or in the environment variable that is named.
std::string connection_string(Context& context, const Node& node) {
  if (const Node* given = child(&node, "connectionString")) return given->value;
  const Node* variable = child(&node, "connectionVariable");
  if (variable == nullptr) return {};
  std::optional<std::string> value;
  if (context.options.environment) {
    value = context.options.environment(variable->value);
  } else if (const char* found = std::getenv(variable->value.c_str())) {
    value = found;
  }
  if (!value)
    context.error(*variable,
                  fmt::format("the environment variable {} is not set", printable(variable->value, 60)),
                  "it holds the connection string");
  return value.value_or("");
}

std::string sqlite_url(Context& context, const Node& node, std::string_view path) {
  return "sqlite:" + absolute_path(context.options, node.file, path).string();
}

void build_nox_database(Context& context, const Node& node, ServiceSpec& service) {
  const auto provider = text_of(&node, "provider");
  const auto unsupported = [&](std::string_view name) {
    service.database_problem =
        fmt::format("{}:{}: the database provider {} is not supported; name one with --database sqlite:PATH",
                    node.file, node.line, name);
    if (!context.options.database_given)
      context.warn(child(&node, "provider") == nullptr ? node : *child(&node, "provider"),
                   fmt::format("the database provider {} is not supported", name),
                   "name a database with --database sqlite:PATH");
  };
  if (provider == "sqlServer") return unsupported("SQL Server");
  if (provider == "mySql") return unsupported("MySQL");
  if (provider.empty()) {
    context.error(node, "a database needs a URL or a provider", "write database: sqlite:../data/sluice.db");
    return;
  }
  auto options = connection_string(context, node);
  if (options.empty()) options = text_of(&node, "options");
  if (provider == "sqlite") {
    std::string path;
    for (const std::string_view key : {"Data Source", "DataSource", "Filename", "Path"}) {
      if (path.empty()) path = option_of(options, key);
    }
    if (path.empty() && !text_of(&node, "name").empty()) path = text_of(&node, "name") + ".db";
    if (path.empty()) {
      context.error(node, "a sqlite database needs a path",
                    "write options: \"Data Source=../data/sample.db\"");
    } else {
      service.database = sqlite_url(context, node, path);
    }
    return;
  }
  if (options.starts_with("postgres://") || options.starts_with("postgresql://")) {
    service.database = options;
    return;
  }
  const auto pick = [&](std::string_view option, std::string_view key, std::string_view fallback) {
    auto value = option_of(options, option);
    return value.empty() ? text_of(&node, key, fallback) : value;
  };
  const auto user = pick("User ID", "user", pick("Username", "user", ""));
  const auto password = pick("Password", "password", "");
  service.database = "postgres://";
  if (!user.empty()) {
    service.database += percent_encoded(user);
    if (!password.empty()) service.database += ":" + percent_encoded(password);
    service.database += "@";
  }
  service.database += pick("Server", "server", pick("Host", "server", "localhost"));
  if (const auto port = pick("Port", "port", "0"); port != "0") service.database += ":" + port;
  service.database += "/" + percent_encoded(pick("Database", "name", ""));
}

// Nox starts relative paths at the folder it was started in. Where the path from the file leads nowhere, the
// definitions folder and its parent are tried.
fs::path data_folder(const CheckOptions& options, std::string_view file, std::string_view path, bool nox) {
  auto from_file = absolute_path(options, file, path);
  std::error_code ignored;
  if (!nox || fs::is_directory(from_file, ignored)) return from_file;
  for (const std::string_view start : {"x", "../x"}) {
    const auto other = absolute_path(options, start, path);
    if (fs::is_directory(other, ignored)) return other;
  }
  return from_file;
}

void build_file_source(Context& context, const Node& node, Format format, DataSource& source) {
  auto options = connection_string(context, node);
  if (options.empty()) options = text_of(&node, "options");
  const auto kind = to_lower(option_of(options, "Source"));
  const auto path = option_of(options, "Path");
  source.format = format;
  if (path.empty()) {
    context.error(node, fmt::format("the data source \"{}\" says no Path", source.name),
                  "write options: \"Source=File;Path=../sample-data/;\"");
  } else if (kind.empty() || kind == "file" || kind == "filesystem") {
    source.kind = DataSource::Kind::folder;
    source.folder = data_folder(context.options, node.file, path, context.nox);
  } else if (kind == "http" || kind == "https") {
    source.kind = DataSource::Kind::http;
    source.base_url = path;
    const Node* written = child(&node, "options");
    const bool by_text = written != nullptr && written->value.find(path) != std::string::npos;
    source.filled_in = by_text ? written->filled_in : std::vector{path};  // else a variable's, as a whole
    check_url(context, node, path);
  } else if (kind == "blob" || kind == "azureblob") {
    source.unavailable = "blob storage";
  } else {
    context.error(node, fmt::format("\"{}\" is not a kind of source", printable(kind, 40)),
                  "one of File, http, https");
  }
}

}  // namespace

std::string option_of(std::string_view options, std::string_view key) {
  for (const auto part : split(options, ';')) {
    const auto equals = part.find('=');
    if (equals != std::string_view::npos && iequals(trim(part.substr(0, equals)), key))
      return std::string(trim(part.substr(equals + 1)));
  }
  return {};
}

bool check_url(Context& context, const Node& node, std::string_view url) {
  const auto scheme_end = url.find("://");
  const auto scheme = to_lower(url.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end));
  if (scheme != "http" && scheme != "https") {
    context.error(node,
                  scheme.empty()
                      ? fmt::format("{} is not a URL", shown(node, 80))
                      : fmt::format("{}:// is not available; http and https are", printable(scheme, 20)),
                  scheme == "file" ? "write file: PATH instead"
                  : scheme.empty() ? "it begins with https://"
                                   : "");
    return false;
  }
  const auto rest = url.substr(scheme_end + 3);
  auto host = rest.substr(0, rest.find_first_of("/?#"));
  if (const auto at = host.rfind('@'); at != std::string_view::npos) {
    context.warn(node, "a user or password inside a URL is shown where URLs are shown",
                 "use auth: {basic: {user: …, password: \"${env:…}\"}}");
    host = host.substr(at + 1);
  }
  if (host.empty() || host.front() == ':') {
    context.error(node, "the URL has no host");
    return false;
  }
  if (url.find_first_of(" \t\r\n<>\"{}|\\^`") != std::string_view::npos) {
    context.error(node, "the URL holds a character that URLs do not have", "write it as %20 and the like");
    return false;
  }
  if (!context.options.url_allowed) return true;
  const auto allowed = context.options.url_allowed(std::string(url));
  if (allowed) return true;
  if (allowed.error().code == ErrorCode::forbidden) {
    context.forbid(node.place(), allowed.error().message);
  } else {
    context.error(node, allowed.error().message);
  }
  return false;
}

std::string join_url(std::string_view base, std::string_view path) {
  if (path.empty()) return std::string(base);
  while (base.ends_with('/')) base.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return fmt::format("{}/{}", base, path);
}

std::string build_database_url(Context& context, const Node& node) {
  const std::string& url = node.value;
  if (url.starts_with("postgres://") || url.starts_with("postgresql://")) return url;
  if (url.starts_with("sqlite:")) {
    auto path = std::string_view(url).substr(7);
    if (path.starts_with("//")) path.remove_prefix(2);  // sqlite://…, sqlite:///abs
    if (path.empty() || path == ":memory:") {
      context.error(node, "a database needs a file", "write sqlite:../data/sluice.db");
      return {};
    }
    return sqlite_url(context, node, path);
  }
  context.error(node, "a database is sqlite:PATH or postgres://…",
                url.ends_with(".db") || url.ends_with(".sqlite")
                    ? fmt::format("write sqlite:{}", printable(url, 80))
                    : "");
  return {};
}

ServiceSpec build_service(Context& context, const Node& node) {
  ServiceSpec service;
  service.place = node.place();
  service.name = text_of(&node, "name", service.name);
  service.timezone = text_of(&node, "timezone", service.timezone);
  if (const Node* zone = child(&node, "timezone");
      zone != nullptr && !english_cron::is_known_zone(zone->value))
    context.error(*zone, fmt::format("there is no time zone \"{}\"", printable(zone->value, 60)),
                  "write an IANA name, like Europe/Zurich");
  service.allowed_hosts = texts_of(&node, "allowedHosts");
  if (const Node* database = child(&node, "database")) {
    if (const Node* url = child(database, "url")) {
      service.database = build_database_url(context, *url);
    } else {
      build_nox_database(context, *database, service);
    }
  }
  return service;
}

DataSource build_data_source(Context& context, const Node& node) {
  DataSource source;
  source.place = node.place();
  source.name = text_of(&node, "name");
  source.headers = build_headers(context, child(&node, "headers"));
  source.auth = build_auth(context, child(&node, "auth"));
  source.timeouts = build_timeouts(child(&node, "timeouts"), {});
  source.retry = build_retry(child(&node, "retry"), {});
  source.max_bytes = parse_size(text_of(&node, "maxBytes")).value_or(source.max_bytes);
  const auto provider = text_of(&node, "provider");
  const Node* base = child(&node, "baseUrl");
  if (base != nullptr) {
    source.kind = DataSource::Kind::http;
    source.base_url = base->value;
    source.filled_in = base->filled_in;
    check_url(context, *base, base->value);
    if (provider == "json") source.format = Format::json;
    if (provider == "csv") source.format = Format::csv;
  } else if (provider == "json") {
    build_file_source(context, node, Format::json, source);
  } else if (provider == "csv") {
    build_file_source(context, node, Format::csv, source);
  } else if (provider.empty() || provider == "http") {
    context.error(node, fmt::format("the data source \"{}\" needs \"baseUrl\"{}", source.name,
                                    provider.empty() ? " or a provider" : ""));
  } else {
    source.unavailable = provider == "excel"       ? "Excel files"
                         : provider == "parquet"   ? "Parquet files"
                         : provider == "xml"       ? "XML files"
                         : provider == "sqlServer" ? "a SQL Server database"
                         : provider == "mySql"     ? "a MySQL database"
                         : provider == "postgres"  ? "a PostgreSQL database"
                                                   : "a SQLite database";
  }
  return source;
}

}  // namespace sluice::definition
