// The keys of a service and of a data source.
#include "definition/field.h"

namespace sluice::definition {
namespace {

constexpr Choice kDataProviders[] = {{"json", "JSON files"},
                                     {"csv", "delimited text files"},
                                     {"http", "an HTTP service at `baseUrl`"},
                                     {"excel", "Excel files; not available yet"},
                                     {"parquet", "Parquet files; not available yet"},
                                     {"xml", "XML files; not available yet"},
                                     {"sqlServer", "SQL Server; not available yet"},
                                     {"postgres", "PostgreSQL; not available yet"},
                                     {"mySql", "MySQL; not available yet"},
                                     {"sqlite", "SQLite; not available yet"}};
constexpr Choice kDatabaseProviders[] = {{"sqlite", "a SQLite file"},
                                         {"postgres", "PostgreSQL"},
                                         {"sqlServer", "not supported; give --database"},
                                         {"mySql", "not supported; give --database"}};

constexpr Field kDatabaseFields[] = {
    {"url", Type::text, "sqlite:PATH or postgres://…", "", "sqlite:../data/sluice.db"},
    {"name", Type::text, "Nox: name of the database", "", "SampleCurrencyDb"},
    Field{"provider", Type::choice, "Nox: kind of database", "", "sqlite"}.one_of(kDatabaseProviders),
    {"server", Type::text, "Nox: host", "localhost", "localhost"},
    Field{"port", Type::integer, "Nox: port", "by provider", "5432"}.at_most(65535),
    {"user", Type::text, "Nox: user", "", "loader"},
    {"password", Type::secret, "Nox: password", "", "\"${env:DB_PASSWORD}\""},
    {"options", Type::secret, "Nox: more of the connection string", "", "\"Data Source=../data/sample.db;\""},
    {"connectionString", Type::secret, "Nox: wins over the keys above", "",
     "\"Data Source=../data/sample.db\""},
    {"connectionVariable", Type::text, "Nox: environment variable that holds the connection string", "",
     "SAMPLE_DB", "connectionStringVariable"},
};
constexpr Concept kDatabase{"a database", kDatabaseFields,
                            [](std::string_view) { return std::string_view("url"); }, "the URL"};

const Field kDataSourceFields[] = {
    Field{"name", Type::text, "what sources call it", "", "shopEu"}.must(),
    {"description", Type::text, "for people", "", "The shop's API"},
    {"baseUrl", Type::text, "address that a source's `path` is added to", "", "https://api.example.org"},
    {"headers", Type::named_texts, "HTTP request headers", "", "{Accept: application/json}"},
    Field{"auth", Type::map, "who we are"}.of(auth_concept()),
    Field{"timeouts", Type::map, "how long a request may take"}.of(timeouts_concept()),
    Field{"retry", Type::map, "requests tried again"}.of(http_retry_concept()),
    {"maxBytes", Type::size, "largest size after unpacking", "4GiB", "64MiB"},
    Field{"tls", Type::any, "certificates"}.later(),
    Field{"rateLimit", Type::any, "requests a second"}.later(),
    Field{"errors", Type::any, "what an answer means"}.later(),
    Field{"provider", Type::choice, "Nox: what is read", "", "json"}.one_of(kDataProviders),
    {"options", Type::text, "Nox: Source=File;Path=DIR or Source=http;Path=URL", "",
     "\"Source=File;Path=../sample-data/;\""},
    {"server", Type::text, "Nox: host of a database", "localhost", "localhost"},
    Field{"port", Type::integer, "Nox: port of a database", "by provider", "5432"}.at_most(65535),
    {"user", Type::text, "Nox: user of a database", "", "reader"},
    {"password", Type::secret, "Nox: password of a database", "", "\"${env:ERP_PASSWORD}\""},
    {"connectionString", Type::secret, "Nox: wins over options", "", "\"Source=File;Path=../sample-data/;\""},
    {"connectionVariable", Type::text, "Nox: environment variable that holds the connection string", "",
     "SEED_DATA", "connectionStringVariable"},
};
const Concept kDataSource{"a data source", kDataSourceFields};

const Field kServiceFields[] = {
    {"name", Type::text, "name of the service", "sluice", "Sample"},
    {"description", Type::text, "for people", "", "Reference data for the shop"},
    {"timezone", Type::text, "IANA zone of schedules that name none", "UTC", "Europe/Zurich"},
    Field{"database", Type::map, "where tables go; --database wins", "", "sqlite:../data/sluice.db"}.of(
        kDatabase),
    Field{"dataSources", Type::maps, "data sources, as in files of their own"}.of(data_source_concept()),
    Field{"defaults", Type::map, "merged under every loader: maps deep, lists replaced", "",
          "{schedule: {retry: {limit: 5}}, guards: {maxDeletes: 5%}}"}
        .of(loader_concept()),
    {"allowedHosts", Type::texts, "names under which the page may be asked for", "[]", "[loads.example.org]"},
    Field{"endpointProvider", Type::any, "Nox: API provider"}.inert(),
    Field{"autoMigrations", Type::any, "Nox: tables are always kept up to date"}.inert(),
    Field{"messagingProviders", Type::any, "Nox: message queues"}.inert(),
    Field{"secrets", Type::any, "Nox: key vaults"}.inert(),
    Field{"versionControl", Type::any, "Nox: repository"}.inert(),
    Field{"team", Type::any, "Nox: developers"}.inert(),
};
const Concept kService{"a service", kServiceFields};

}  // namespace

const Concept& data_source_concept() { return kDataSource; }
const Concept& service_concept() { return kService; }

}  // namespace sluice::definition
