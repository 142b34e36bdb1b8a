// Data that stays fresh: fetches JSON and keeps fetching it when the service says that something of it changed.
// One event stream a tab; polling every 5 s where it does not work; nothing while the tab is hidden.
import { useEffect, useState } from "preact/hooks";

export type Topic = "jobs" | "loaders" | "definitions" | "nodes";
export type Connection = "live" | "polling" | "paused" | "lost";
interface Notice { topics: Topic[]; jobs: string[] | null }
type Listener = (notice: Notice | null) => void; // null = anything may have changed

const listeners = new Set<Listener>();
const watchers = new Set<(state: Connection) => void>();
let connection: Connection = "polling";
let source: EventSource | null = null;
let poll: number | undefined;
let lostAt = 0;
// The version that served this page, and whether another one answers now.
let version: string | null = null;
let outdated = false;

function setConnection(state: Connection) {
  if (state === connection) return;
  if (state === "lost") lostAt = Date.now();
  connection = state;
  watchers.forEach((watch) => watch(state));
}

export const lostSince = () => lostAt;
export const newVersionRuns = () => outdated;

// Whether the service is there at all: an event stream that breaks does not say.
async function probe() {
  try {
    await fetch("/healthz", { cache: "no-store" });
    if (connection === "lost") reconnect();
  } catch {
    setConnection("lost");
  }
}

export function tryNow() {
  void probe();
}

function tell(notice: Notice | null) {
  listeners.forEach((listener) => listener(notice));
}

function startPolling() {
  poll ??= window.setInterval(() => {
    if (connection === "lost") void probe();
    else tell(null);
  }, 5000);
}

function stopPolling() {
  window.clearInterval(poll);
  poll = undefined;
}

function connect() {
  source = new EventSource("/api/v1/events");
  source.addEventListener("hello", (event) => {
    stopPolling();
    const now = (JSON.parse((event as MessageEvent<string>).data) as { version: string }).version;
    version ??= now;
    outdated = version !== now;
    setConnection("live");
    tell(null);
  });
  source.addEventListener("change", (event) => tell(JSON.parse((event as MessageEvent<string>).data) as Notice));
  source.onerror = () => {
    if (connection !== "lost") setConnection("polling");
    startPolling();
    void probe();
    // The browser gives up for good on an answer that is not a stream (say, 503): ask again later.
    if (source?.readyState === EventSource.CLOSED) window.setTimeout(() => { if (!document.hidden) reconnect(); }, 10000);
  };
}

function disconnect() {
  source?.close();
  source = null;
  stopPolling();
}

function reconnect() {
  disconnect();
  connect();
}

export function startLive() {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      disconnect();
      setConnection("paused");
    } else {
      reconnect();
    }
  });
  connect();
}

export function useConnection(): Connection {
  const [state, setState] = useState(connection);
  useEffect(() => {
    watchers.add(setState);
    setState(connection);
    return () => void watchers.delete(setState);
  }, []);
  return state;
}

export class RequestFailed extends Error {
  constructor(readonly status: number, readonly code: string, message: string) { super(message); }
}

const known = new Map<string, { tag: string; data: unknown }>();

export async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const before = known.get(url);
  let response: Response;
  try {
    response = await fetch(url, {
      headers: before ? { accept: "application/json", "if-none-match": before.tag } : { accept: "application/json" },
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    setConnection("lost");
    throw new RequestFailed(0, "unreachable", "The service does not answer. It may be stopped or restarting.");
  }
  if (connection === "lost") setConnection(source?.readyState === EventSource.OPEN ? "live" : "polling");
  if (response.status === 304 && before) return before.data as T;
  const data: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failureOf(response, data);
  const tag = response.headers.get("etag");
  if (known.size > 60) known.clear();
  if (tag) known.set(url, { tag, data });
  return data as T;
}

export async function postJson<T>(url: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  } catch {
    void probe();
    throw new RequestFailed(0, "unreachable", "The service does not answer: nothing was done.");
  }
  const data: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failureOf(response, data);
  tell(null);
  return data as T;
}

function failureOf(response: Response, data: unknown) {
  const error = (data as { error?: { code: string; message: string } } | null)?.error;
  return new RequestFailed(response.status, error?.code ?? "error", error?.message ?? `The service answered ${response.status}.`);
}

export interface Loaded<T> { data: T | null; error: RequestFailed | null }

// Fetches the URL now and whenever one of the topics changes; with `job`, only when that job may have changed.
// While data is being fetched again the old data stays.
export function useData<T>(url: string | null, topics: Topic[], job?: string): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { url: string | null }>({ url: null, data: null, error: null });
  useEffect(() => {
    if (url === null) return;
    let control: AbortController | null = null;
    let again = false;
    let restUntil = 0;
    let timer: number | undefined;
    const load = () => {
      window.clearTimeout(timer);
      if (control) {
        again = true; // one request at a time; the changes meanwhile are fetched together
        return;
      }
      // An answer that took long is expensive: rest three times as long before asking for it again.
      const started = performance.now();
      if (started < restUntil) {
        timer = window.setTimeout(load, restUntil - started);
        return;
      }
      control = new AbortController();
      const { signal } = control;
      getJson<T>(url, signal)
        .then((data) => setLoaded((old) => (old.data === data && old.url === url && !old.error ? old : { url, data, error: null })))
        .catch((error: unknown) => {
          if (signal.aborted) return;
          const failure = error instanceof RequestFailed ? error : new RequestFailed(0, "error", String(error));
          setLoaded((old) => ({ url, data: old.url === url && failure.status === 0 ? old.data : null, error: failure }));
        })
        .finally(() => {
          if (signal.aborted) return;
          control = null;
          const ended = performance.now();
          restUntil = ended + 3 * (ended - started);
          if (again) {
            again = false;
            load();
          }
        });
    };
    const listener: Listener = (notice) => {
      if (!notice || (notice.topics.some((topic) => topics.includes(topic)) && (!job || !notice.jobs || notice.jobs.includes(job)))) load();
    };
    listeners.add(listener);
    load();
    return () => {
      listeners.delete(listener);
      window.clearTimeout(timer);
      control?.abort();
    };
  }, [url]);
  return loaded.url === url ? loaded : { data: null, error: null };
}
