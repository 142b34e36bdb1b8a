// The keys of a job: what is run, and when.
#include "definition/field.h"

namespace sluice::definition {
namespace {

constexpr Choice kMethods[] = {{"GET", "read"},     {"HEAD", "read, without the body"},
                               {"POST", "send"},    {"PUT", "replace"},
                               {"PATCH", "change"}, {"DELETE", "delete"}};

constexpr Field kSqlFields[] = {
    Field{"statements", Type::texts, "one or several statements", "",
          "delete from session where expires_at < current_timestamp"}
        .must(),
    {"database", Type::text, "sqlite:PATH or postgres://…", "the service's", "sqlite:../data/shop.db"},
    {"transaction", Type::boolean,
     "all of them in one transaction; false: each by itself (vacuum needs that)", "true", "false"},
};
constexpr Concept kSql{"sql", kSqlFields, [](std::string_view) { return std::string_view("statements"); },
                       "the statements"};

const Field kHttpFields[] = {
    {"url", Type::text, "http or https address", "", "https://example.org/healthz"},
    {"dataSource", Type::text, "name of a data source with a baseUrl, with `path`", "", "shopEu"},
    {"path", Type::text, "below the data source's address", "", "/v1/cache"},
    Field{"method", Type::choice, "HTTP method", "GET; with a body POST", "POST"}.one_of(kMethods),
    {"headers", Type::named_texts, "HTTP request headers", "", "{Accept: application/json}"},
    {"body", Type::text, "what is sent, as it stands", "", "purge=all"},
    {"json", Type::any, "what is sent, as JSON", "", "{scope: all}"},
    Field{"expect", Type::integers, "statuses that are success", "200 to 299", "[200, 404]"}
        .at_least(100)
        .at_most(599),
    Field{"auth", Type::map, "who we are; `{token: …}` is a bearer token"}.of(auth_concept()),
    Field{"timeouts", Type::map, "how long the request may take"}.of(timeouts_concept()),
};
const Concept kHttp{"http", kHttpFields, [](std::string_view) { return std::string_view("url"); }, "the URL"};

constexpr Field kCommandFields[] = {
    Field{"run", Type::texts, "the program and its arguments, one by one: there is no shell", "",
          "[python3, report.py, --year, \"2026\"]"}
        .must(),
    {"directory", Type::text, "where it runs", "the folder of the file", "../reports"},
    {"environment", Type::named_texts,
     "variables, besides PATH, HOME, USER, LANG, TZ and the like, and SLUICE_JOB, SLUICE_NAME, "
     "SLUICE_ATTEMPT",
     "", "{REPORT_TOKEN: \"${REPORT_TOKEN:none}\"}"},
    Field{"retryExitCodes", Type::integers, "exit codes of failures that will pass", "[]", "[75]"}
        .at_least(1)
        .at_most(255),
    {"grace", Type::duration, "from the request to stop (SIGTERM) to the end by force (SIGKILL)", "5s",
     "30s"},
};
constexpr Concept kCommand{"a command", kCommandFields,
                           [](std::string_view) { return std::string_view("run"); },
                           "the program and its arguments"};

const Field kTaskFields[] = {
    Field{"name", Type::text, "unique among loaders and jobs", "", "PurgeSessions"}.must(),
    {"description", Type::text, "for people", "", "Sessions that have expired"},
    {"tags", Type::texts, "for filters", "[]", "[nightly]"},
    {"enabled", Type::boolean, "false: never runs by itself", "true", "false"},
    Field{"schedule", Type::map, "when it runs"}.such_as("every night at 2am").of(schedule_concept()),
    Field{"after", Type::map, "loaders and jobs after whose runs it runs; the same as schedule.after", "",
          "Country"}
        .of(after_concept()),
    Field{"sql", Type::map, "runs statements on a database", "",
          "delete from session where expires_at < current_timestamp"}
        .of(kSql),
    Field{"http", Type::map, "sends a request", "", "https://example.org/healthz"}.of(kHttp),
    Field{"command", Type::map, "starts a program; needs --allow-commands", "",
          "[python3, report.py, --year, \"2026\"]"}
        .of(kCommand),
};
const Concept kTask{"a job", kTaskFields};

}  // namespace

const Concept& task_concept() { return kTask; }

}  // namespace sluice::definition
