// The JSON shapes of src/api/backend.h.

export const states = [
  "scheduled", "enqueued", "processing", "awaiting", "held", "succeeded", "failed", "deleted", "skipped",
] as const;
export type State = (typeof states)[number];

export interface ApiError { code: string; where?: string; message: string; retryable?: boolean }
export interface Guard { name: string; limit: string; actual?: string; verdict?: "ok" | "warned" | "breached"; message?: string | null }
export interface Progress {
  phase: string; rows: number; rowsTotal: number | null; bytes: number; bytesTotal: number | null; rowsPerSecond: number;
  bytesPerSecond: number;
}
export interface Receipt {
  applied: boolean; read: number; inserted: number; updated: number; deleted: number; restored: number;
  unchanged: number; vanished: number; rejected: number; duplicates: number; ignored: number;
  bytes: number; requests: number; notModified: number; durationMs: number; guards: Guard[];
  compare?: string; rowsBefore?: number; rowsAfter?: number; schemaChanges?: string[]; notes?: string[];
}
export interface Job {
  id: string; kind: string; loader: string | null; name: string; queue: string; state: State;
  fireAt: string | null; createdAt: string; startedAt: string | null; finishedAt: string | null;
  durationMs: number | null; attempt: number; maxAttempts: number; node: string | null;
  progress: Progress | null; receipt: Receipt | null; error: ApiError | null;
}
export interface StateEntry {
  state: State; at: string; attempt: number; node: string | null; reason: string | null; error: ApiError | null;
}
export type Value = string | number | boolean | null;
export interface Change {
  op: "insert" | "update" | "delete" | "restore" | "load";
  key: { name: string; value: Value }[];
  columns: { name: string; before: Value; after: Value }[];
}
export interface Reject {
  ordinal: number | null; source: string | null; line: number | null; locator: string | null; column: string | null;
  code: string; message: string; count: number; raw: string | null; rawCut: boolean;
}
export interface LogLine { at: string; level: string; attempt: number; message: string }
export type Action = "cancel" | "retry" | "undo" | "approve";
export interface Batch {
  id: string; name: string; state: State; startedBy: string | null; createdAt: string; finishedAt: string | null;
  batch: string | null; total: number; pending: number; succeeded: number; failed: number; deleted: number;
}
export interface JobDetail extends Job {
  dueAt: string | null; reason: string | null; note: string | null; blockedBy: string | null; parent: string | null;
  follows: "succeeded" | "finished" | "notSucceeded" | null; children: { id: string; name: string; state: State }[];
  batch: string | null; members: Batch | null;
  startedBy: string | null; definitionHash: string | null; table: string | null;
  states: StateEntry[]; actions: Action[]; result: unknown; plan: { changes: Change[]; ddl: string[] } | null;
}
export interface Schedule {
  phrase: string | null; crons: string[]; every: { n: number; unit: string; anchor: string } | null;
  english: string; zone: string; exact: boolean; warnings: string[];
}
export interface ReceiptBar {
  job: string; state: State; finishedAt: string; durationMs: number; read: number; inserted: number; updated: number;
  deleted: number; restored: number; unchanged: number; rejected: number; notModified: number;
}
export interface Loader {
  name: string; description: string | null; tags: string[]; enabled: boolean; paused: boolean; schedule: Schedule;
  nextRun: string | null; lastRun: Job | null; running: string | null; receipts: ReceiptBar[];
  definition: { file: string; line: number; hash: string; valid: boolean; usingStored: boolean; error: string | null };
  sources: { name: string | null; kind: string; location: string; format: string }[];
  table: string; mode: string; vanished: string; key: string[];
}
export interface LoaderDetail extends Loader {
  next: string[]; guards: Guard[];
  columns: { name: string; type: string; from: string | null; key: boolean; required: boolean }[];
  rows: number | null; retry: { limit: number; delayMs: number };
}
export interface DefinitionProblem {
  severity: "error" | "warning"; line: number | null; column: number | null; message: string;
  suggestion: string | null; excerpt: string | null; caret: number | null;
}
export interface Definition {
  file: string; kind: string; name: string | null; valid: boolean; usingStored: boolean; hash: string | null;
  acceptedAt: string | null; errors: DefinitionProblem[];
}
export interface Node {
  id: string; host: string; pid: number; version: string; startedAt: string; lastSeenAt: string;
  alive: boolean; self: boolean; workers: number; busy: number; memoryBytes: number | null;
  clockSkewMs: number | null;
}
export interface Queue {
  name: string; enqueued: number; scheduled: number; processing: number; oldestEnqueuedAt: string | null;
  paused: boolean; pausedAt: string | null; pausedBy: string | null; pauseReason: string | null;
  maxRunning: number | null; workers: number;
}
export interface Recurring {
  id: string; kind: string; name: string; loader: string | null; schedule: Schedule | null; paused: boolean; pauseReason: string | null; nextRun: string | null;
  lastFireAt: string | null; lastJob: { id: string; state: State } | null; overlap: string; missed: string;
  error: string | null;
}
export interface Attention {
  kind: string; severity: "error" | "warning"; loader: string | null; job: string | null; file: string | null;
  line: number | null; since: string | null; message: string;
}
export interface Bucket { at: string; succeeded: number; failed: number; rows: number }
export interface Overview {
  now: string; version: string; startedAt: string; zone: string; database: string;
  counts: Record<State, number>; retrying: number; oldestEnqueuedAt: string | null;
  last24h: { succeeded: number; failed: number; skipped: number; rowsChanged: number };
  loaders: { total: number; paused: number; failing: number; invalid: number };
  running: Job[]; nextRuns: { loader: string; at: string; english: string }[]; needsAttention: Attention[];
  nodes: Node[]; throughput: { bucketSeconds: number; buckets: Bucket[] };
}
export interface CronAnswer {
  phrase: string; ok: boolean; crons?: string[]; every?: { n: number; unit: string; anchor: string } | null; zone?: string; exact?: boolean; english?: string; next?: string[];
  warnings?: string[]; error?: { offset: number; length: number; message: string; suggestion: string | null };
}
export interface List<T> { items: T[]; next: string | null }
