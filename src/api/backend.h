// What the HTTP API needs from the running service, and the exact JSON it hands out. The service implements
// these four interfaces (one class may implement several); tests use a fake.
//
// Rules for every implementation
// - Thread-safe: calls come from the server's handler threads, several at once. A call may block on the
//   database, but not on a load: whatever takes longer is a job, and the call answers with its id.
// - A returned string holds one JSON value, complete and valid UTF-8 (nlohmann: dump with
//   error_handler_t::replace). The API passes it through untouched.
// - Keys are camelCase. Ids and other 64-bit identities are strings, counts are numbers. Times are UTC text
//   as format_utc() writes it ("2026-01-05T09:30:00.250Z"). A key that has no value is null, never absent.
// - An Error's code decides the HTTP status (see status_for() in router.h): not_found 404, invalid_argument
//   400, conflict 409, unsupported 501, … Its message is shown to the user; it never holds a secret.
//
// Shapes used more than once
//   JOB      {"id":"17","kind":"load","loader":"Country"|null,"name":"load
//   Country","queue":"default","state":STATE,
//             "fireAt":TIME|null,"createdAt":TIME,"startedAt":TIME|null,"finishedAt":TIME|null,"durationMs":12|null,
//             "attempt":1,"maxAttempts":4,"node":"…"|null,"progress":PROGRESS|null,"receipt":RECEIPT|null,
//             "error":ERROR|null}                                     -- the shape of DESIGN, section 3,
//             exactly
//   STATE    "scheduled" "enqueued" "processing" "awaiting" "held" "succeeded" "failed" "deleted" "skipped"
//   PROGRESS {"phase":"fetch"|"compare"|"apply","rows":n,"rowsTotal":n|null,"bytes":n,"bytesTotal":n|null,
//             "rowsPerSecond":n,"bytesPerSecond":n}   -- rates of the last seconds; null unless processing
//   RECEIPT  what `sluice run --json` prints: {"loader","job","state","applied","read","inserted","updated",
//             "deleted","restored","unchanged","vanished","rejected","duplicates","ignored","bytes","requests",
//             "notModified","durationMs","guards":[GUARD…],"error":ERROR|null}
//   GUARD    {"name":"maxDeletes","limit":"10%","actual":"12 of 249
//   (4.8%)","verdict":"ok"|"warned"|"breached",
//             "message":"…"|null}
//   ERROR    {"code":"unreachable","where":"loader Country: fetch https://…","message":"…","retryable":true}
//   SCHEDULE {"phrase":"every day at 2am"|null,"crons":["0 2 * *
//   *"],"every":null|{"n":2,"unit":"week","anchor":TIME},
//             "english":"every day at 02:00","zone":"Europe/Zurich","exact":true,"warnings":["…"]}
//             -- phrase null (then crons is empty and english "by hand only"): a loader without a schedule
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::api {

// One page of a list. `items` is a JSON array; `next` is an opaque cursor that the implementation made and
// will get back in PageRequest::after, empty on the last page. The API turns it into the "next" URL.
struct ListPage {
  std::string items = "[]";
  std::string next;
};

struct PageRequest {
  int limit = 50;     // 1 … 500, already checked
  std::string after;  // as given out before; a cursor that makes no sense is invalid_argument
};

// Empty fields do not filter. Newest first (highest id first).
struct JobFilter {
  std::vector<std::string> states;  // names of STATE, already checked; several are ORed
  std::string loader;
  std::string kind;
  std::string queue;
  std::string node;
  bool retrying = false;              // only `scheduled` jobs that have had an attempt
  std::string text;                   // part of the loader's or job's name or of the error message, any case
  std::optional<Timestamp> from, to;  // createdAt in [from, to)
  std::optional<JobId> batch;         // only members of it
};

// Who asks for a change of a job, and on what condition.
struct JobAsk {
  std::string actor;
  std::string expected;  // a STATE, already checked; the change is a conflict in any other; empty = any
  std::optional<Timestamp> at;  // reschedule: when; always there
};

// Empty fields do not filter.
struct LoaderFilter {
  std::string text;   // part of the name, table, description or a tag, any case
  std::string state;  // "running" "failing" "paused" "off" "broken", already checked
};

class JobReads {
 public:
  virtual ~JobReads() = default;

  // Items: JOB.
  virtual Result<ListPage> jobs(const JobFilter& filter, const PageRequest& page) = 0;

  // JOB plus {"dueAt":TIME|null (when a scheduled job starts), "reason":"…"|null (why deleted, skipped,
  // held), "blockedBy":"16"|null, "parent":"15"|null, "follows":"succeeded"|"finished"|"notSucceeded"|null,
  // "children":[{"id":"18","name":"…","state":STATE}…] (the first 100), "batch":"14"|null (that it is a
  // member of), "members":BATCH|null (it stands for a batch), "startedBy":"schedule"|"api 127.0.0.1"|…|null,
  // "timeoutMs":n|null,"overdue":false (it runs past its time-out, as it does not heed the request to stop),
  // "note":"…"|null (why it waits although workers are free: no live node has a handler for its kind),
  // "definitionHash":"…"|null, "table":"country"|null,
  // "states":[{"state":STATE,"at":TIME,"attempt":1,"node":"…"|null,"reason":"…"|null,"error":ERROR|null}…]
  //           (oldest first),
  // "actions":["cancel","retry","undo","approve"] (those that make sense now),
  // "plan":null|{"changes":[CHANGE…] (a sample),"ddl":["alter table …"]} (jobs of kind "plan" that
  // succeeded)}
  virtual Result<std::string> job(JobId id) = 0;

  // What one run changed. Items: CHANGE =
  // {"op":"insert"|"update"|"delete"|"restore","key":[{"name":"alpha2","value":V}…],
  //  "columns":[{"name":"population","before":V,"after":V}…]}
  // V is a string, number, boolean or null; 64-bit integers and decimals are strings. "columns" holds only
  // what differs; an insert may have none (changeLog keeps keys only).
  virtual Result<ListPage> job_changes(JobId id, const PageRequest& page) = 0;

  // Items: {"ordinal":n (number of the record)|null,"source":"countries.json"|null,"line":n|null,
  //  "locator":"line 17"|"record 4 (byte 2048)"|null (what is known of the place: ordinal and line are of
  //  it), "column":"population"|null,"code":"…","message":"…","count":n (runs that saw it), "raw":"the record
  //  as it came, at most 2,000 bytes of it"|null,"rawCut":false}
  virtual Result<ListPage> job_rejects(JobId id, const PageRequest& page) = 0;

  // Items, oldest first: {"at":TIME,"level":"debug"|"info"|"warn"|"error","attempt":1,"message":"…"}
  virtual Result<ListPage> job_log(JobId id, const PageRequest& page) = 0;

  // Items: {"id":"load:Country","kind":"load","loader":"Country"|null,"schedule":SCHEDULE,"paused":false,
  //  "pausedBy":"…"|null,"pauseReason":"…"|null,"failures":n (failed runs in a row),
  //  "nextRun":TIME|null,"lastFireAt":TIME|null,"lastJob":{"id":"17","state":STATE}|null,
  //  "overlap":"skip","missed":"once","error":"…"|null}
  virtual Result<ListPage> recurring(const PageRequest& page) = 0;

  // By name. Items:
  // QUEUE = {"name":"default","enqueued":n,"scheduled":n,"processing":n,"oldestEnqueuedAt":TIME|null,
  //  "paused":false,"pausedAt":TIME|null,"pausedBy":"…"|null,"pauseReason":"…"|null,
  //  "maxRunning":n|null (over all nodes; null = no limit),"workers":n}
  // enqueued and scheduled are counted up to 10,000; of the queue "default" enqueued is exact.
  virtual Result<ListPage> queues(const PageRequest& page) = 0;

  // Newest first. Items: BATCH =
  // {"id":"14","name":"nightly","state":STATE,"startedBy":"…"|null,"createdAt":TIME,"finishedAt":TIME|null,
  //  "batch":"12"|null (that it is a member of),"total":n,"pending":n,"succeeded":n,"failed":n,"deleted":n}
  virtual Result<ListPage> batches(const PageRequest& page) = 0;

  // By id. Items: NODE =
  // {"id":"…","host":"…","pid":1234,"version":"0.1.0","startedAt":TIME,"lastSeenAt":TIME,
  //  "alive":true,"self":true,"workers":n (0: it serves the page, and runs nothing),"busy":n,
  //  "clockSkewMs":n|null (its clock against the database's; null where there is but one),
  //  "kinds":["load"…]|null (what it has handlers for; null when its program is too old to tell),
  //  "memoryBytes":n|null (what the process holds now; null when this process may not know)}
  virtual Result<ListPage> nodes(const PageRequest& page) = 0;
};

class CatalogReads {
 public:
  virtual ~CatalogReads() = default;

  // By name. Items: LOADER =
  // {"name":"Country","description":"…"|null,"tags":[…],"enabled":true,"paused":false,
  //  "schedule":SCHEDULE,"nextRun":TIME|null,"lastRun":JOB|null (newest final, skipped and deleted ones left
  //  out), "running":"18"|null,
  //  "receipts":[{"job":"17","state":STATE,"finishedAt":TIME,"durationMs":n,"read":n,"inserted":n,"updated":n,
  //               "deleted":n,"restored":n,"unchanged":n,"rejected":n,"notModified":n}…] (last 30, oldest
  //               first),
  //  "definition":{"file":"Country.loader.yaml","line":1,"hash":"…","valid":true,"usingStored":false,"error":"…"|null},
  //  "sources":[{"name":"…"|null,"kind":"http"|"file"|"sql","location":"…" (masked),"format":"auto"}…],
  //  "table":"country","mode":"sync","vanished":"keep","key":["alpha2"]}
  virtual Result<ListPage> loaders(const LoaderFilter& filter, const PageRequest& page) = 0;

  // LOADER plus {"next":[TIME…] (next 5),"guards":[{"name":"maxDeletes","limit":"10%"}…],
  //  "columns":[{"name","type","from":"…"|null,"key":true,"required":false}…],"rows":n|null (as of the last
  //  run), "retry":{"limit":3,"delayMs":60000}}
  virtual Result<std::string> loader(const std::string& name) = 0;

  // Broken ones first, then by file. Items:
  // {"file":"Country.loader.yaml","kind":"loader"|"entity"|"service"|"dataSource"|"job","name":"Country"|null,
  //  "valid":true,"usingStored":false,"hash":"…"|null,"acceptedAt":TIME|null,
  //  "errors":[{"severity":"error"|"warning","line":n|null,"column":n|null,"message":"…","suggestion":"…"|null,
  //             "excerpt":"the line's text, secrets left out"|null,
  //             "caret":n|null (the column within the excerpt, from 1)}…]}
  virtual Result<ListPage> definitions(const PageRequest& page) = 0;

  // What `sluice cron --json` prints for the phrase, refused phrases too (ok:false is not an error here).
  // zone empty = the service's; from empty = now.
  virtual Result<std::string> schedule(const std::string& phrase, const std::string& zone,
                                       std::optional<Timestamp> from, int count) = 0;
};

// One loader's figures for /metrics.
struct LoaderMetrics {
  std::string name;
  bool paused = false;
  bool failing = false;                   // the last finished run failed
  std::optional<Timestamp> last_success;  // finishedAt
  std::optional<std::chrono::milliseconds> last_duration;
  std::optional<Timestamp> next_run;
  std::int64_t rows_read = 0, rows_inserted = 0, rows_updated = 0, rows_deleted = 0,
               rows_rejected = 0;  // last run
};

struct MetricsSnapshot {
  std::vector<std::pair<std::string, std::int64_t>> jobs;  // current number of jobs by STATE
  std::vector<LoaderMetrics> loaders;
  std::int64_t definitions_invalid = 0;
  std::int64_t nodes_alive = 0;
  std::optional<Timestamp> oldest_enqueued;
};

// What changed since the last call; the page fetches again what it shows of it.
struct ChangeNotice {
  bool jobs = false, loaders = false, definitions = false, nodes = false;
  JobId job;  // the one job that changed or progressed; none = several or unknown
};

// Ends the subscription when destroyed; afterwards the listener is not running and is never called again.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

class ServiceReads {
 public:
  virtual ~ServiceReads() = default;

  // {"now":TIME,"version":"0.1.0","startedAt":TIME,"zone":"Europe/Zurich","database":"sqlite:data/sluice.db"
  // (masked),
  //  "counts":{STATE:n for all nine},
  //  "retrying":n,"oldestEnqueuedAt":TIME|null,
  //  "last24h":{"succeeded":n,"failed":n,"skipped":n,"rowsChanged":n},
  //  "loaders":{"total":n,"paused":n,"failing":n,"invalid":n},
  //  "running":[JOB…] (at most 20),
  //  "nextRuns":[{"loader":"Country","at":TIME,"english":"every day at 02:00"}…] (10, soonest first),
  //  "needsAttention":[{"kind":"failing"|"invalidDefinition"|"retrying"|"held"|"late"|"lostNode"|"conflict",
  //     "severity":"error"|"warning","loader":"…"|null,"job":"17"|null,"file":"…"|null,"line":n|null,
  //     "since":TIME|null,"message":"…"}…] (at most 50, worst first),
  //  "nodes":[NODE…],
  //  "throughput":{"bucketSeconds":60,"buckets":[{"at":TIME (start),"succeeded":n,"failed":n,"rows":n
  //  (changed)}…]}}
  //     (oldest first; a bucket without jobs may be left out)
  // window / bucket: 1 h / 60 s, 24 h / 900 s or 7 d / 7200 s.
  virtual Result<std::string> overview(std::chrono::seconds window, std::chrono::seconds bucket) = 0;

  virtual Result<MetricsSnapshot> metrics() = 0;

  // Success when loads can run: store open, catalog read, workers started. The message says what is missing.
  virtual Result<void> ready() = 0;

  // The listener is called from any thread, as often as things change (the API coalesces), and returns at
  // once.
  virtual std::unique_ptr<Subscription> subscribe(std::function<void(const ChangeNotice&)> listener) = 0;
};

// Everything that changes something. `actor` is who asked, for the job's startedBy: "api 127.0.0.1".
// What a later stage brings answers ErrorCode::unsupported.
class Actions {
 public:
  virtual ~Actions() = default;
  virtual Result<std::string> run_loader(const std::string& name,
                                         const std::string& actor) = 0;  // {"job":"18"}
  virtual Result<std::string> plan_loader(const std::string& name,
                                          const std::string& actor) = 0;  // {"job":"19"}
  virtual Result<std::string> pause_loader(const std::string& name, const std::string& actor) = 0;   // LOADER
  virtual Result<std::string> resume_loader(const std::string& name, const std::string& actor) = 0;  // LOADER
  // Cancels a job that waits or asks a processing one to stop; conflict when it is final already, but a
  // failed one that is expected to be failed is dismissed. A batch: all its jobs.
  virtual Result<std::string> cancel_job(JobId id, const JobAsk& ask) = 0;  // JOB
  // Runs a failed, deleted or waiting job now.
  virtual Result<std::string> retry_job(JobId id, const JobAsk& ask) = 0;  // JOB
  // Puts a job that waits or rests off to a time.
  virtual Result<std::string> reschedule_job(JobId id, const JobAsk& ask) = 0;  // JOB
  // retry_job() for the jobs of the filter, newest first, one page of them; by states, loader, kind, queue
  // and batch alone. {"changed":n,"refused":n,"next":"…"|null (PageRequest::after of the next call)}
  virtual Result<std::string> retry_jobs(const JobFilter& filter, const PageRequest& page,
                                         const std::string& actor) = 0;
  virtual Result<std::string> undo_job(JobId id, const std::string& actor) = 0;     // {"job":"20"}
  virtual Result<std::string> approve_job(JobId id, const std::string& actor) = 0;  // JOB
};

class QueueActions {
 public:
  virtual ~QueueActions() = default;
  // No job of it begins from now on, on any node; a queue that nobody has used yet is paused too.
  virtual Result<std::string> pause_queue(const std::string& name, const std::string& actor) = 0;   // QUEUE
  virtual Result<std::string> resume_queue(const std::string& name, const std::string& actor) = 0;  // QUEUE
};

// The parts, owned by the service; they must outlive the server.
struct Backend {
  JobReads& jobs;
  CatalogReads& catalog;
  ServiceReads& service;
  Actions& actions;
  QueueActions& queues;
};

}  // namespace sluice::api
