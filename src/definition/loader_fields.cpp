// The keys of a loader.
#include "definition/field.h"

namespace sluice::definition {
namespace {

constexpr Choice kRunOnStartup[] = {{"never", "only by schedule; same as false"},
                                    {"always", "each time the service starts; same as true"},
                                    {"ifMissed", "when a tick was missed while the service was down"},
                                    {"ifNeverLoaded", "when it never loaded successfully"}};
constexpr Choice kMissed[] = {{"skip", "missed ticks are forgotten"},
                              {"once", "one run makes up for all missed ticks"},
                              {"all", "each missed tick is made up for"}};
constexpr Choice kOverlap[] = {{"skip", "a tick during a run is skipped, and says so"},
                               {"queueOne", "one run waits behind the one under way"},
                               {"allow", "runs overlap"},
                               {"cancelOld", "the older run is cancelled"}};
constexpr Choice kBackoff[] = {{"exponential", "each pause is twice the last"},
                               {"constant", "each pause is `delay`"}};
constexpr Choice kModes[] = {{"sync", "the table equals the source; rows that vanished follow `vanished`"},
                             {"upsert", "insert and update; rows that vanished are not looked at"},
                             {"append", "every record is a new row"},
                             {"replace", "the table is replaced as a whole, atomically"},
                             {"insertOnly", "insert what is new, never update", Stage::later},
                             {"history", "keep every version of a row", Stage::later}};
constexpr Choice kStrategies[] = {{"MergeNew", "upsert; the columns say what changed since the last load"},
                                  {"DropAndLoad", "replace, all sources together"}};
constexpr Choice kVanished[] = {{"keep", "stay, are counted"},
                                {"softDelete", "stay, marked as deleted"},
                                {"delete", "are deleted"},
                                {"fail", "fail the run", Stage::later}};
constexpr Choice kCompare[] = {{"fingerprint", "by a 128-bit hash of each row, kept beside the table"},
                               {"columns", "by reading the table", Stage::later},
                               {"version", "by a version column", Stage::later}};
constexpr Choice kChangeLog[] = {{"off", "nothing"},
                                 {"keys", "the keys"},
                                 {"full", "values before and after of updates and deletes, keys of inserts"}};
constexpr Choice kOnBreach[] = {{"fail", "nothing is written, the run fails"},
                                {"warn", "the run goes on and says so"},
                                {"hold", "the run waits for approval", Stage::later}};
constexpr Choice kNewColumns[] = {{"add", "the table gets the column"},
                                  {"ignore", "only declared columns are loaded"},
                                  {"json", "into one JSON column", Stage::later},
                                  {"fail", "the run fails", Stage::later},
                                  {"hold", "the run waits for approval", Stage::later}};
constexpr Choice kMissingColumns[] = {{"null", "no value"},
                                      {"keep", "the old value stays", Stage::later},
                                      {"fail", "the run fails", Stage::later}};
constexpr Choice kTypeChange[] = {{"widen", "the column is widened where nothing is lost"},
                                  {"reject", "the record is rejected", Stage::later},
                                  {"fail", "the run fails", Stage::later}};
constexpr Choice kNested[] = {{"json", "nested values are JSON text"},
                              {"flatten(n)", "nested fields become columns", Stage::later, "flatten"},
                              {"ignore", "nested values are left out", Stage::later}};

constexpr Field kRetryFields[] = {
    Field{"limit", Type::integer, "retries of a run that failed for a passing reason; attempts = limit + 1",
          "3", "5"}
        .at_most(1000),
    Field{"delay", Type::duration, "before the first retry; Nox: delaySeconds", "60s", "30s", "delaySeconds"}
        .counting_seconds(),
    Field{"backoff", Type::choice, "how the pause grows", "exponential", "constant"}.one_of(kBackoff),
    Field{"doubleDelayLimit", Type::integer, "Nox: the pause doubles at most so often", "", "5"}.at_most(
        1000),
    {"maxDelay", Type::duration, "longest pause, whatever the source asks for", "15m", "1h"},
};
constexpr Concept kRetry{"retry", kRetryFields, [](std::string_view) { return std::string_view("limit"); },
                         "the limit"};

constexpr Choice kAfterOn[] = {{"success", "when it has succeeded"},
                               {"failure", "when it has failed, or was cancelled or skipped"},
                               {"always", "when it has ended, however"}};
constexpr Choice kAfterWait[] = {{"all", "once a run of each has ended so since the own last run"},
                                 {"any", "for every run of any of them"}};
constexpr Field kAfterFields[] = {
    Field{"names", Type::texts, "names of loaders and jobs", "", "[Country, Currency]"}.must(),
    Field{"on", Type::choice, "which end of their runs starts this one", "success", "failure"}.one_of(
        kAfterOn),
    Field{"wait", Type::choice, "where there are several", "all", "any"}.one_of(kAfterWait),
};
constexpr Concept kAfter{"after", kAfterFields, [](std::string_view) { return std::string_view("names"); },
                         "the names"};

constexpr Field kScheduleFields[] = {
    {"start", Type::phrase, "when: English, cron, or `manual`", "", "every weekday at 7:15am"},
    {"timezone", Type::text, "IANA zone; one inside the phrase wins", "the service's, else UTC",
     "Europe/Zurich"},
    {"anchor", Type::text, "date-time that true intervals (every 3 days) count from", "",
     "\"2026-01-05T00:00:00Z\""},
    Field{"runOnStartup", Type::choice, "run when the service starts", "ifNeverLoaded; Nox dialect: always",
          "ifMissed"}
        .or_boolean()
        .one_of(kRunOnStartup),
    Field{"missed", Type::choice, "ticks that fell while the service was down", "once", "skip"}.one_of(
        kMissed),
    {"catchUpWindow", Type::duration, "older missed ticks are forgotten", "1d", "6h"},
    Field{"overlap", Type::choice, "a tick while a run is under way", "skip", "skip"}.one_of(kOverlap),
    {"jitter", Type::duration, "each run comes up to so much later, the same on every node; 1d at most", "0s",
     "30s"},
    {"timeout", Type::duration,
     "longest attempt; one that takes longer is stopped, and tried again by `retry`", "none", "30m"},
    Field{"after", Type::map,
          "loaders and jobs after whose runs it runs, with or without a phrase of its own", "",
          "[Country, Currency]"}
        .not_in_defaults()
        .of(kAfter),
    Field{"retry", Type::map, "runs tried again"}.of(kRetry),
    Field{"cronExpression", Type::text, "Nox: used only where there is no start"},
};
constexpr Concept kSchedule{"a schedule", kScheduleFields,
                            [](std::string_view) { return std::string_view("start"); }, "the phrase"};

constexpr Field kTargetFields[] = {
    {"database", Type::text, "sqlite:PATH or postgres://…", "the service's", "sqlite:../data/other.db"},
    {"table", Type::text, "table name", "snake_case of the loader's name; Nox: the entity's", "country"},
    {"schema", Type::text, "schema (PostgreSQL)", "", "public"},
    {"entity", Type::text, "entity that says table, key and columns", "", "Country"},
};
constexpr Concept kTarget{"a target", kTargetFields,
                          [](std::string_view) { return std::string_view("table"); }, "the table"};

constexpr Field kLoadFields[] = {
    Field{"mode", Type::choice, "what a load does to the table", "sync", "upsert"}.one_of(kModes),
    Field{"vanished", Type::choice, "rows that the source no longer has (sync)", "keep", "softDelete"}.one_of(
        kVanished),
    Field{"vanishedAfter", Type::any, "complete runs without the row", "1"}.later(),
    Field{"vanishedScope", Type::any, "which rows can vanish"}.later(),
    Field{"compare", Type::choice, "how changes are found", "fingerprint", "fingerprint"}.one_of(kCompare),
    Field{"verify", Type::any, "schedule of full comparisons"}.later(),
    Field{"latestBy", Type::any, "which of several versions wins"}.later(),
    Field{"deleteWhen", Type::any, "records that mean a deletion"}.later(),
    Field{"ignoreInDiff", Type::any, "columns that are no change"}.later(),
    Field{"purgeDeletedAfter", Type::any, "when soft-deleted rows go"}.later(),
    Field{"changeLog", Type::choice, "what is kept of each change", "full", "keys"}.one_of(kChangeLog),
};
constexpr Concept kLoad{"load", kLoadFields, [](std::string_view) { return std::string_view("mode"); },
                        "the mode"};

constexpr Field kStrategyFields[] = {
    Field{"type", Type::choice, "MergeNew or DropAndLoad", "", "MergeNew"}.must().one_of(kStrategies),
    {"columns", Type::texts, "date columns that say \"changed since\" (MergeNew)", "[]",
     "[CreateDate, EditDate]"},
};
constexpr Concept kStrategy{"a load strategy", kStrategyFields};

constexpr Field kGuardFields[] = {
    {"minimumExpectedRecords", Type::integer, "fewer records breach", "1 for sync and replace, else 0",
     "150"},
    Field{"maximumExpectedRecords", Type::any, "more records breach"}.later(),
    {"maxDeletes", Type::limit, "rows deleted or marked deleted; a share counts from 50 rows up", "10%",
     "5%"},
    {"maxShrink", Type::limit, "rows fewer than before", "off", "20%"},
    Field{"maxUpdates", Type::any, "rows updated", "off"}.later(),
    {"maxRejects", Type::limit, "records rejected; of fewer than 50 a share below half means half", "1%",
     "100"},
    Field{"freshness", Type::any, "newest record's age"}.later(),
    Field{"onBreach", Type::choice, "what a breach does", "fail", "warn"}.one_of(kOnBreach),
};
constexpr Concept kGuards{"guards", kGuardFields};

constexpr Field kColumnFields[] = {
    {"type", Type::column_type, "type in the table", "inferred, then pinned", "decimal(12,4)"},
    {"from", Type::text, "field name or dotted path in the record", "the column's name", "name.common"},
    {"required", Type::boolean, "a record without it is rejected", "false", "true"},
    Field{"format", Type::any, "date format"}.alias("formats").later(),
    Field{"timezone", Type::any, "zone of date-times without one"}.later(),
    Field{"constant", Type::any, "the same value in each row"}.later(),
    Field{"default", Type::any, "value where there is none"}.later(),
    Field{"enum", Type::any, "allowed values"}.later(),
    Field{"onInvalid", Type::any, "what an invalid value does"}.later(),
    Field{"mask", Type::any, "hide the value"}.later(),
};
constexpr Concept kColumn{"a column", kColumnFields,
                          [](std::string_view) { return std::string_view("type"); }, "the type"};

constexpr Field kContractFields[] = {
    Field{"newColumns", Type::choice, "fields that no column takes", "add", "ignore"}.one_of(kNewColumns),
    Field{"missingColumns", Type::choice, "columns that the source lost", "null", "null"}.one_of(
        kMissingColumns),
    Field{"typeChange", Type::choice, "values that no longer fit the type", "widen", "widen"}.one_of(
        kTypeChange),
    Field{"nested", Type::choice, "objects and lists inside a record", "json", "json"}.one_of(kNested),
};
constexpr Concept kContract{"a contract", kContractFields};

constexpr Field kRejectFields[] = {
    {"keep", Type::duration, "how long rejects are kept", "30d", "7d"},
    Field{"sample", Type::integer, "most rejects kept a run; counts are exact", "1000", "100"}.at_most(
        1'000'000),
    {"raw", Type::boolean, "keep the record as it came", "true", "false"},
};
constexpr Concept kRejects{"rejects", kRejectFields};

constexpr Field kMessagingFields[] = {
    {"messagingProvider", Type::text, "where the events go", "", "Mediator"},
};
constexpr Concept kMessaging{"messaging", kMessagingFields};

const Field kLoaderFields[] = {
    Field{"name", Type::text, "unique; the identity of table, schedule and state", "", "Country"}
        .must()
        .not_in_defaults(),
    {"description", Type::text, "for people", "", "All countries of ISO 3166-1"},
    {"tags", Type::texts, "for filters", "[]", "[reference, daily]"},
    {"enabled", Type::boolean, "false: never runs by itself", "true", "false"},
    Field{"schedule", Type::map, "when it runs"}.such_as("every day at 2am").of(kSchedule),
    Field{"source", Type::maps, "where records come from; several are one run, one transaction", "",
          "https://example.org/v3/countries.json", "sources"}
        .not_in_defaults()
        .of(source_concept()),
    Field{"key", Type::texts, "column or columns that identify a row; not needed for append and replace", "",
          "[currency, date]"}
        .not_in_defaults(),
    Field{"target", Type::map, "where rows go"}.of(kTarget),
    Field{"load", Type::map, "how rows are loaded"}.of(kLoad),
    Field{"loadStrategy", Type::map, "Nox: how rows are loaded"}.not_in_defaults().of(kStrategy),
    Field{"guards", Type::map, "limits judged before anything becomes visible"}.of(kGuards),
    Field{"columns", Type::named_maps, "columns that need saying: type, origin, required", "",
          "{population: {type: int64, from: stats.population}}"}
        .not_in_defaults()
        .of(kColumn),
    Field{"contract", Type::map, "what a change of the source's shape does"}.of(kContract),
    Field{"rejects", Type::map, "records that could not be loaded"}.of(kRejects),
    {"memoryLimit", Type::size, "most memory of a run", "256MiB", "128MiB"},
    Field{"children", Type::any, "nested records into tables of their own"}.later(),
    Field{"checks", Type::any, "rules about the loaded rows"}.later(),
    Field{"group", Type::any, "loaders that load together"}.later(),
    Field{"forEach", Type::any, "one loader for many sources"}.later(),
    Field{"hooks", Type::any, "what happens after a run"}.later(),
    Field{"messaging", Type::maps, "events of rows created and updated"}.later().warning_in_nox().of(
        kMessaging),
    Field{"tests", Type::any, "the loader's own tests"}.later(),
};
const Concept kLoader{"a loader", kLoaderFields};

}  // namespace

const Concept& loader_concept() { return kLoader; }
const Concept& schedule_concept() { return kSchedule; }
const Concept& after_concept() { return kAfter; }

}  // namespace sluice::definition
