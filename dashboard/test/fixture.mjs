// Made-up but plausible state for fake-server.mjs: enough of everything to see each part of the page, hostile
// text included.
const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
const now = () => Date.now();
const iso = (ms) => new Date(ms).toISOString().replace(/\.000Z$/, "Z");
const ago = (seconds) => iso(now() - seconds * 1000);
const ahead = (seconds) => iso(now() + seconds * 1000);

const schedules = {
  Country: { phrase: "every day at 2am", crons: ["0 2 * * *"], english: "every day at 02:00" },
  Currency: { phrase: "every hour", crons: ["0 * * * *"], english: "every hour" },
  ExchangeRate: { phrase: "every 2 minutes", crons: ["*/2 * * * *"], english: "every 2 minutes" },
  Customer: { phrase: "every weekday between 8am and 6pm every 10 minutes", crons: ["*/10 8-17 * * 1-5"], english: "every 10 minutes from 08:00 to 17:59, Monday to Friday" },
  OrderArchive: { phrase: null, crons: [], english: "by hand only" },
  [evil]: { phrase: "every 3 days", crons: ["0 0 */3 * *"], english: "every 3 days, from the 1st of each month", exact: false, warnings: ["every 3 days starts over on the 1st of each month; say “starting DATE” for a true interval"] },
};

const receipt = (over = {}) => ({
  loader: "Country", job: "1", state: "succeeded", applied: true, read: 249, inserted: 0, updated: 0, deleted: 0, restored: 0,
  unchanged: 249, vanished: 0, rejected: 0, duplicates: 0, ignored: 0, bytes: 48213, requests: 1, notModified: 0, durationMs: 12,
  guards: [
    { name: "minimumExpectedRecords", limit: "240", actual: "249", verdict: "ok", message: null },
    { name: "maxDeletes", limit: "10%", actual: "0 of 249 (0%)", verdict: "ok", message: null },
  ],
  error: null, ...over,
});

export function create() {
  let lastId = 9007199254740993n + 400n;
  const jobs = [];
  const nextId = () => String(++lastId);
  const add = (loader, state, secondsAgo, over = {}) => {
    const id = nextId();
    const durationMs = over.durationMs ?? 12;
    const final = ["succeeded", "failed", "deleted", "skipped", "held"].includes(state);
    jobs.unshift({
      id, kind: "load", loader, name: `load ${loader}`, queue: "default", state, fireAt: ago(secondsAgo), createdAt: ago(secondsAgo),
      startedAt: ["enqueued", "scheduled", "skipped", "awaiting"].includes(state) ? null : ago(secondsAgo), finishedAt: final ? iso(now() - secondsAgo * 1000 + durationMs) : null,
      durationMs: final ? durationMs : null, attempt: state === "enqueued" ? 0 : 1, maxAttempts: 4, node: "atlas-41822", progress: null,
      receipt: state === "succeeded" ? receipt({ loader, job: id, durationMs }) : null, error: null, ...over,
    });
    return jobs[0];
  };
  const bad = { code: "unreachable", where: "loader Customer: fetch https://shop.example.org/api/customers", message: "could not resolve host 'shop.example.org'; the network or the name may be down. Tried 3 times.", retryable: true };
  for (let i = 40; i > 0; --i) {
    add("ExchangeRate", "succeeded", i * 120, i % 7 ? { durationMs: 9 + (i * 7) % 20, receipt: receipt({ notModified: 1, read: 0, unchanged: 0, bytes: 0, durationMs: 4 }) } : { durationMs: 140, receipt: receipt({ read: 31200, updated: 31, inserted: 2, unchanged: 31167, durationMs: 140 }) });
    if (i % 3 === 0) add("Currency", "succeeded", i * 120 + 7, { durationMs: 15 + i });
    if (i % 6 === 0) add("Customer", i < 14 ? "failed" : "succeeded", i * 120 + 11, i < 14 ? { durationMs: 3020, error: bad, attempt: 4 } : { durationMs: 900 + i * 30, receipt: receipt({ read: 18210, inserted: 44, updated: 210, deleted: 3, unchanged: 17953, rejected: 2, bytes: 8123456, durationMs: 900 }) });
    if (i % 15 === 0) add("Country", "succeeded", i * 130, i === 30 ? { durationMs: 310, receipt: receipt({ inserted: 249, unchanged: 0 }) } : { receipt: receipt({ updated: 1, unchanged: 248 }) });
  }
  add(evil, "failed", 300, { durationMs: 40, error: { code: "malformed", where: evil, message: `unexpected ${evil} at byte 17`, retryable: false } });
  add("Customer", "held", 260, { durationMs: 800, receipt: receipt({ applied: false, read: 900, deleted: 9000, unchanged: 900, guards: [{ name: "maxDeletes", limit: "10%", actual: "9,000 of 18,210 (49.4%)", verdict: "breached", message: "almost half of the table would go; look at the source, then approve or cancel" }] }) });
  add("Currency", "skipped", 200);
  add("OrderArchive", "deleted", 180, { fireAt: null });
  add("Customer", "scheduled", 90, { attempt: 2, error: bad });
  add("Country", "enqueued", 4);
  add("OrderArchive", "processing", 75, { fireAt: null, progress: { phase: "compare", rows: 3412000, rowsTotal: null, bytes: 412_000_000, bytesTotal: 1_130_000_000, rowsPerSecond: 45480, bytesPerSecond: 5_400_000 } });

  const schedule = (name) => ({ every: null, zone: "Europe/Zurich", exact: true, warnings: [], ...schedules[name] });
  const loader = (name, index) => {
    const own = jobs.filter((job) => job.loader === name && ["succeeded", "failed", "held"].includes(job.state));
    return {
      name, description: index === 0 ? "Countries of the world after ISO 3166" : null, tags: index === 0 ? ["reference"] : [], enabled: true, paused: name === "Currency",
      schedule: schedule(name), nextRun: schedules[name].phrase ? ahead(37 + index * 480) : null, lastRun: own[0] ?? null,
      running: jobs.find((job) => job.loader === name && job.state === "processing")?.id ?? null,
      receipts: own.slice(0, 30).reverse().map((job) => ({ job: job.id, state: job.state, finishedAt: job.finishedAt, durationMs: job.durationMs, read: 0, inserted: 0, updated: 0, deleted: 0, restored: 0, unchanged: 0, rejected: 0, notModified: 0, ...(job.receipt ? Object.fromEntries(["read", "inserted", "updated", "deleted", "restored", "unchanged", "rejected", "notModified"].map((key) => [key, job.receipt[key]])) : {}) })),
      definition: { file: `${index === 5 ? "evil" : name}.loader.yaml`, line: 1, hash: "9f2c4be07a61d3ab55e0", valid: name !== "Customer", usingStored: name === "Customer", error: name === "Customer" ? "schedule.start: unknown word 'evry'; did you mean 'every'?" : null },
      sources: [{ name: null, kind: index % 2 ? "http" : "file", location: index % 2 ? "https://example.org/v3/data.json" : "../sample-data/countries.json", format: "auto" }],
      table: index === 5 ? "evil" : name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase(), mode: "sync", vanished: "keep", key: ["alpha2"],
    };
  };
  const loaders = () => Object.keys(schedules).map(loader).sort((a, b) => (a.name < b.name ? -1 : 1));
  const node = () => ({ id: "atlas-41822", host: "atlas", pid: 41822, version: "0.1.0", startedAt: ago(93600), lastSeenAt: ago(1), alive: true, self: true, workers: 8, busy: 1, memoryBytes: 41_200_000 });
  const definitions = () => [
    { file: "erp/Customer.loader.yaml", kind: "loader", name: "Customer", valid: false, usingStored: true, hash: "77ab01c2d3e4f5", acceptedAt: ago(400000), errors: [
      { severity: "error", line: 2, column: 11, message: "unknown word 'evry'", suggestion: "did you mean 'every'?", excerpt: "schedule: evry 10 minutes", caret: 11 },
      { severity: "error", line: 7, column: 1, message: "unknown key 'sorce'", suggestion: "did you mean 'source'?", excerpt: `sorce: ${evil}`, caret: 1 }] },
    ...loaders().filter((item) => item.name !== "Customer").map((item) => ({ file: item.definition.file, kind: "loader", name: item.name, valid: true, usingStored: false, hash: item.definition.hash, acceptedAt: ago(93000),
      errors: item.schedule.warnings.map((message) => ({ severity: "warning", line: 2, column: 11, message, suggestion: null, excerpt: "schedule: every 3 days", caret: 11 })) })),
    { file: "sluice.service.yaml", kind: "service", name: "Sample", valid: true, usingStored: false, hash: "0011aabbccddee", acceptedAt: ago(93000), errors: [] },
  ];
  const changes = [
    { op: "update", key: [{ name: "alpha2", value: "CH" }], columns: [{ name: "population", before: "8670300", after: "8738791" }, { name: "note", before: null, after: evil }] },
    { op: "insert", key: [{ name: "alpha2", value: "XK" }], columns: [] },
    { op: "delete", key: [{ name: "alpha2", value: "AN" }], columns: [{ name: "name", before: "Netherlands Antilles", after: null }, { name: "active", before: true, after: null }] },
    { op: "update", key: [{ name: "alpha2", value: "TR" }], columns: [{ name: "name", before: "Turkey", after: "Türkiye" }] },
  ];
  const detail = (job) => ({
    ...job, dueAt: job.state === "scheduled" ? ahead(214) : null, reason: { skipped: "the run before it was still working", deleted: "cancelled by api 127.0.0.1", held: "guard maxDeletes: 9,000 of 18,210 rows would go" }[job.state] ?? null,
    blockedBy: job.state === "skipped" ? jobs[5].id : null, parent: null, startedBy: job.fireAt ? "schedule" : "api 127.0.0.1", definitionHash: "9f2c4be07a61d3ab55e0", table: "country",
    states: [
      { state: job.fireAt ? "scheduled" : "enqueued", at: job.createdAt, attempt: 1, node: null, reason: null, error: null },
      ...(job.startedAt ? [{ state: "processing", at: job.startedAt, attempt: 1, node: job.node, reason: null, error: null }] : []),
      ...(job.attempt > 1 ? [{ state: "scheduled", at: job.startedAt ?? job.createdAt, attempt: 2, node: job.node, reason: "retry in 60 s", error: job.error }] : []),
      ...(job.finishedAt ? [{ state: job.state, at: job.finishedAt, attempt: job.attempt, node: job.node, reason: null, error: job.error }] : []),
    ],
    actions: { failed: ["retry"], scheduled: ["retry", "cancel"], enqueued: ["cancel"], processing: ["cancel"], held: ["approve", "cancel"], succeeded: ["undo"], deleted: ["retry"] }[job.state] ?? [], plan: null,
  });
  const counts = () => Object.fromEntries(["scheduled", "enqueued", "processing", "awaiting", "held", "succeeded", "failed", "deleted", "skipped"].map((state) => [state, jobs.filter((job) => job.state === state).length]));
  const throughput = (window) => {
    const [bucketSeconds, length] = { "1h": [60, 60], "24h": [900, 96], "7d": [7200, 84] }[window];
    const start = Math.floor(now() / 1000 / bucketSeconds) * bucketSeconds;
    return { bucketSeconds, buckets: Array.from({ length }, (_, index) => ({ at: iso((start - (length - 1 - index) * bucketSeconds) * 1000), succeeded: Math.round(4 + 3 * Math.sin(index / 5) + (index * 7) % 3), failed: index % 17 === 3 ? 2 : 0, rows: Math.round(300 + 260 * Math.cos(index / 6)) + (index % 23 === 0 ? 900 : 0) })) };
  };
  const overview = (window) => ({
    now: ago(0), version: "0.1.0", startedAt: ago(93600), zone: "Europe/Zurich", database: "sqlite:data/sluice.db", counts: counts(), retrying: 1, oldestEnqueuedAt: ago(4),
    last24h: { succeeded: counts().succeeded + 1210, failed: counts().failed, skipped: 1, rowsChanged: 48210 }, loaders: { total: 6, paused: 1, failing: 2, invalid: 1 },
    running: jobs.filter((job) => job.state === "processing"),
    nextRuns: loaders().filter((item) => item.nextRun).sort((a, b) => (a.nextRun < b.nextRun ? -1 : 1)).map((item) => ({ loader: item.name, at: item.nextRun, english: item.schedule.english })),
    needsAttention: [
      { kind: "invalidDefinition", severity: "error", loader: null, job: null, file: "erp/Customer.loader.yaml", line: 2, since: ago(3000), message: "unknown word 'evry'; did you mean 'every'? It runs as last stored." },
      { kind: "failing", severity: "error", loader: "Customer", job: jobs.find((job) => job.loader === "Customer" && job.state === "failed")?.id ?? null, file: null, line: null, since: ago(1400), message: "failed twice: could not resolve host 'shop.example.org'" },
      { kind: "held", severity: "warning", loader: "Customer", job: jobs.find((job) => job.state === "held")?.id ?? null, file: null, line: null, since: ago(260), message: "maxDeletes: 9,000 of 18,210 rows would go" },
    ],
    nodes: [node()], throughput: throughput(window),
  });
  const list = (items, next = null) => ({ body: { items, next } });
  // As the service pages: what stands behind `after`, by the text that `key` gives.
  const paged = (items, query, path, key) => {
    const rest = items.filter((item) => !query.get("after") || key(item) > query.get("after"));
    const limit = Number(query.get("limit") ?? 50);
    const next = new URLSearchParams(query);
    if (rest.length > limit) next.set("after", key(rest[limit - 1]));
    return list(rest.slice(0, limit), rest.length > limit ? `/api/v1/${path}?${next}` : null);
  };
  const inState = { running: (item) => item.running, failing: (item) => item.lastRun?.state === "failed", paused: (item) => item.paused, off: (item) => !item.enabled, broken: (item) => !item.definition.valid };
  const log = [["info", "load Country into table country: mode sync, key alpha2"], ["info", "read countries.json: 1 file, 48,213 bytes"], ["info", "countries.json: json, records found at $, 12 fields in 249 records"], ["info", "compared with the fingerprints of 249 rows"], ["warn", `record 17: ${evil}`], ["info", "249 records read: 1 updated, 248 unchanged"], ["info", "guard maxDeletes: 0 of 249 (0%), the limit is 10%: ok"], ["info", "committed: table country has 249 rows, generation 8"], ["info", "succeeded in 12 ms"]];

  const run = (name, tell) => {
    const job = add(name, "processing", 0, { fireAt: null });
    tell({ topics: ["jobs", "loaders"], jobs: [job.id] });
    setTimeout(() => {
      Object.assign(job, { state: "succeeded", finishedAt: ago(0), durationMs: 400, receipt: receipt({ job: job.id, updated: 1, unchanged: 248 }) });
      tell({ topics: ["jobs", "loaders"], jobs: [job.id] });
    }, 400);
    return { status: 202, body: { job: job.id } };
  };
  return {
    answer(method, [what, id, sub], query, tell) {
      if (method === "POST") {
        if (what === "loaders" && sub === "run") return run(id, tell);
        if (what === "jobs" && sub === "cancel") return { status: 202, body: {} };
        return { status: 501, body: { error: { code: "unsupported", message: `${sub} is not available yet` } } };
      }
      if (what === "overview") return { body: overview(query.get("window") ?? "1h") };
      if (what === "loaders" && !id) {
        const text = (query.get("text") ?? "").toLowerCase();
        const state = query.get("state");
        return paged(loaders().filter((item) => item.name.toLowerCase().includes(text) && (!state || inState[state](item))), query, "loaders", (item) => item.name);
      }
      if (what === "loaders") {
        const found = loaders().find((item) => item.name === id);
        return found && { body: { ...found, next: found.nextRun ? [1, 2, 3, 4, 5].map((n) => ahead(n * 120)) : [], guards: [{ name: "maxDeletes", limit: "10%" }, { name: "minimumExpectedRecords", limit: "240" }], columns: [{ name: "alpha2", type: "text", from: "cca2", key: true, required: true }, { name: "name", type: "text", from: "name.common", key: false, required: false }, { name: "population", type: "int64", from: null, key: false, required: false }], rows: 249, retry: { limit: 3, delayMs: 60000 } } };
      }
      if (what === "jobs" && !id) {
        const wanted = query.getAll("state").flatMap((value) => value.split(","));
        const text = (query.get("text") ?? "").toLowerCase();
        const all = jobs.filter((job) => (!wanted.length || wanted.includes(job.state)) && (!query.get("loader") || job.loader === query.get("loader")) && (!text || job.name.toLowerCase().includes(text) || job.error?.message.toLowerCase().includes(text)));
        const from = query.get("after") ? all.findIndex((job) => job.id === query.get("after")) + 1 : 0;
        const limit = Number(query.get("limit") ?? 50);
        const items = all.slice(from, from + limit);
        const next = new URLSearchParams(query);
        next.set("after", items.at(-1)?.id ?? "");
        return list(items, from + limit < all.length ? `/api/v1/jobs?${next}` : null);
      }
      if (what === "jobs") {
        const job = jobs.find((item) => item.id === id);
        if (!job) return null;
        if (!sub) return { body: detail(job) };
        if (sub === "changes") return list(job.receipt?.applied && job.receipt.updated ? changes : []);
        if (sub === "rejects") return list([
          { ordinal: null, source: "customers.csv", line: 211, locator: "line 211", column: "birthday", code: "notADate", message: "'31.02.1990' is not a date", count: 3, raw: "211;Meier;31.02.1990;Zürich", rawCut: false },
          { ordinal: 17, source: "customers.json", line: null, locator: "record 17 (byte 2048)", column: null, code: "missingKey", message: "the key column \"id\" is empty", count: 1, raw: evil + " and on and on ".repeat(120), rawCut: true }]);
        if (sub === "log") return list(log.map(([level, message]) => ({ at: job.createdAt, level, attempt: 1, message })));
      }
      if (what === "definitions") return paged(definitions(), query, "definitions", (item) => `${item.valid ? "valid" : "broken"}/${item.file}`);
      if (what === "nodes") return list([node()]);
      if (what === "queues") return list([{ name: "default", enqueued: 1, scheduled: 1, processing: 1, oldestEnqueuedAt: ago(4), paused: false, workers: 8 }]);
      if (what === "recurring") return list(loaders().filter((item) => item.schedule.phrase).map((item) => ({ id: `load:${item.name}`, kind: "load", loader: item.name, schedule: item.schedule, paused: item.paused, nextRun: item.nextRun, lastFireAt: item.lastRun?.fireAt ?? null, lastJob: item.lastRun && { id: item.lastRun.id, state: item.lastRun.state }, overlap: "skip", missed: "once", error: null })));
      if (what === "schedule") {
        const phrase = query.get("phrase");
        const zone = query.get("zone") ?? "Europe/Zurich";
        if (!/^(UTC|(Europe|Asia|America)\/\w+)$/.test(zone)) return { status: 400, body: { error: { code: "invalidArgument", message: `unknown time zone "${zone}"` } } };
        const at = phrase.indexOf("dya");
        if (at >= 0) {
          return { body: { phrase, ok: false, error: { offset: new TextEncoder().encode(phrase.slice(0, at)).length, length: 3, message: `unknown word "dya"`, suggestion: "day" } } };
        }
        const answer = { phrase, ok: true, every: null, zone, exact: true, warnings: [] };
        if (phrase.includes("3 days")) {
          return { body: { ...answer, crons: ["0 0 */3 * *"], exact: false, english: "at 00:00 on the 1st, 4th, 7th and so on of the month", next: ["2026-01-04T00:00:00+01:00"],
            warnings: ['cron counts the days anew each month, from the 1st: add "starting YYYY-MM-DD" for equal intervals'] } };
        }
        if (phrase.includes("7 hours")) return { body: { ...answer, crons: [], every: { n: 7, unit: "hours", anchor: "1970-01-05T00:00:00Z" }, english: "every 7 hours", next: ["2026-01-05T09:00:00+01:00"] } };
        if (phrase.includes("never")) return { body: { ...answer, crons: [], english: "never", next: [] } };
        return { body: { ...answer, crons: ["30 2 * * *"], english: "every day at 02:30",
          next: ["2026-03-27T02:30:00+01:00", "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"] } };
      }
      return null;
    },
  };
}
