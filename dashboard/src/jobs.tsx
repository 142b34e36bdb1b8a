// /jobs/list: all jobs, newest first. Filters live in the URL; pages are keyset pages.
import { useEffect, useRef, useState } from "preact/hooks";
import { Confirm, say } from "./actions.tsx";
import { count } from "./format.ts";
import { JobTable } from "./job-table.tsx";
import { postJson, useData } from "./live.ts";
import { Panel, StateIcon, stateWords, useNow, Waiting } from "./parts.tsx";
import { go, usePlace } from "./route.ts";
import { states } from "./types.ts";
import type { Job, List, Loader, Overview, Queue, State } from "./types.ts";

const passed = ["state", "loader", "kind", "queue", "node", "retrying", "text", "from", "to", "after"];
const spans: [string, string, number][] = [["1h", "Last hour", 3600e3], ["24h", "Last 24 hours", 86400e3], ["7d", "Last 7 days", 7 * 86400e3]];

// `since` is relative, for links that stay true; its start moves on once a minute.
function apiUrl(query: URLSearchParams, minute: number): string {
  const wanted = new URLSearchParams();
  for (const name of passed) query.getAll(name).forEach((value) => value && wanted.append(name, value));
  const span = spans.find(([name]) => name === query.get("since"));
  if (span) wanted.set("from", new Date(minute * 60e3 - span[2]).toISOString());
  wanted.set("limit", "50");
  return `/api/v1/jobs?${wanted}`;
}

// The newest page may change under the reader's hand: rows already shown are updated in place, new ones wait
// behind a button while the pointer or the focus is in the table.
function useSteady(jobs: Job[] | undefined, key: string) {
  const [shown, setShown] = useState<{ key: string; jobs: Job[] } | null>(null);
  const held = useRef(false);
  const steady = shown?.key === key ? shown.jobs : undefined;
  useEffect(() => {
    if (!jobs) return;
    if (!held.current || !steady) setShown({ key, jobs });
    else {
      const fresh = new Map(jobs.map((job) => [job.id, job]));
      setShown({ key, jobs: steady.map((job) => fresh.get(job.id) ?? job) });
    }
  }, [jobs, key]);
  const ids = new Set(steady?.map((job) => job.id));
  const waiting = steady && jobs ? jobs.filter((job) => !ids.has(job.id)).length : 0;
  return { shown: steady ?? jobs, waiting, held, take: () => jobs && setShown({ key, jobs }) };
}

const canRetry = new Set<State>(["failed", "deleted", "held", "scheduled"]);
const canCancel = new Set<State>(["scheduled", "enqueued", "awaiting", "processing", "held"]);

// One request a job, one after the other: each is judged by itself, and what was refused is said.
async function actOn(jobs: Job[], action: "retry" | "cancel", done: string) {
  let refused = "";
  let went = 0;
  for (const job of jobs) {
    try {
      await postJson(`/api/v1/jobs/${encodeURIComponent(job.id)}/${action}`);
      ++went;
    } catch (error) {
      refused ||= `job ${job.id}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  const failed = jobs.length - went;
  say({ text: `${done}: ${went} of ${jobs.length}.${failed ? ` ${failed} refused, the first: ${refused}` : ""}`, bad: failed > 0 });
}

function Chosen({ jobs, clear }: { jobs: Job[]; clear: () => void }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const retry = jobs.filter((job) => canRetry.has(job.state));
  const cancel = jobs.filter((job) => canCancel.has(job.state));
  const run = async (some: Job[], action: "retry" | "cancel", done: string) => {
    setAsking(false);
    setBusy(true);
    await actOn(some, action, done);
    setBusy(false);
    clear();
  };
  const number = (some: Job[]) => `${some.length} ${some.length === 1 ? "job" : "jobs"}`;
  return (
    <div class="chosen-bar" role="group" aria-label="What to do with the chosen jobs">
      <span><strong>{jobs.length}</strong> chosen</span>
      {retry.length > 0 && <button type="button" class="primary" aria-disabled={busy} onClick={() => !busy && void run(retry, "retry", "Run again")}>Run again {retry.length}</button>}
      {cancel.length > 0 && <button type="button" class="danger" aria-disabled={busy} onClick={() => !busy && setAsking(true)}>Cancel {cancel.length}</button>}
      {!retry.length && !cancel.length && <span class="quiet">nothing can be done with {jobs.length === 1 ? "it" : "these"}</span>}
      <button type="button" class="plain" onClick={clear}>Clear</button>
      {asking && (
        <Confirm title={`Cancel ${number(cancel)}?`} yes={`Cancel ${number(cancel)}`} onNo={() => setAsking(false)} onYes={() => void run(cancel, "cancel", "Cancelled")}>
          <p>Jobs that wait are deleted; those that run are asked to stop, and write nothing. Each can be run again later.</p>
        </Confirm>
      )}
    </div>
  );
}

// Suggests loaders by what is written: there may be thousands.
function LoaderField({ value, onPick }: { value: string; onPick: (name: string) => void }) {
  const [text, setText] = useState(value);
  const [asked, setAsked] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    const timer = window.setTimeout(() => setAsked(text), 200);
    return () => window.clearTimeout(timer);
  }, [text]);
  const found = useData<List<Loader>>(`/api/v1/loaders?limit=20${asked ? `&text=${encodeURIComponent(asked)}` : ""}`, ["definitions"]);
  return (
    <label><span class="hidden">Loader</span>
      <input type="search" list="loader-names" placeholder="All loaders" value={text} spellcheck={false} autocomplete="off"
        onInput={(event) => {
          const name = event.currentTarget.value;
          setText(name);
          if (!name || found.data?.items.some((loader) => loader.name === name)) onPick(name);
        }}
        onChange={(event) => onPick(event.currentTarget.value)} />
      <datalist id="loader-names">{found.data?.items.map((loader) => <option key={loader.name} value={loader.name} />)}</datalist>
    </label>
  );
}

const local = (iso: string | null) => {
  if (!iso) return "";
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? "" : new Date(time.getTime() - time.getTimezoneOffset() * 60e3).toISOString().slice(0, 16);
};

function TimeFields({ query, set }: { query: URLSearchParams; set: (changes: Record<string, string>) => void }) {
  const own = query.has("from") || query.has("to");
  const [open, setOpen] = useState(own);
  const value = own || open ? "own" : query.get("since") ?? "";
  const field = (name: "from" | "to", label: string) => (
    <label class="time-field"><span>{label}</span>
      <input type="datetime-local" value={local(query.get(name))} onChange={(event) => {
        const time = new Date(event.currentTarget.value);
        set({ since: "", [name]: Number.isNaN(time.getTime()) ? "" : time.toISOString() });
      }} /></label>
  );
  return (
    <>
      <select aria-label="Created" value={value} onChange={(event) => {
        const wanted = event.currentTarget.value;
        setOpen(wanted === "own");
        set({ from: "", to: "", since: wanted === "own" ? "" : wanted });
      }}>
        <option value="">Any time</option>
        {spans.map(([name, words]) => <option key={name} value={name}>{words}</option>)}
        <option value="own">From … to …</option>
      </select>
      {value === "own" && <>{field("from", "from")}{field("to", "to")}</>}
    </>
  );
}

export function JobsPage() {
  const { query } = usePlace();
  const minute = Math.floor(useNow() / 60e3);
  const url = apiUrl(query, query.has("since") ? minute : 0);
  const place = apiUrl(query, 0);
  const list = useData<List<Job>>(url, ["jobs"]);
  const overview = useData<Overview>("/api/v1/overview?window=1h", ["jobs"]);
  const queues = useData<List<Queue>>("/api/v1/queues", ["definitions"]);
  const { shown, waiting, held, take } = useSteady(list.data?.items, place);
  const chosenStates = new Set(query.getAll("state").flatMap((value) => value.split(",")).filter(Boolean));
  const [picked, setPicked] = useState<{ place: string; ids: Set<string> }>({ place, ids: new Set() });
  const ids = picked.place === place ? picked.ids : new Set<string>();
  const pick = (next: Set<string>) => setPicked({ place, ids: next });

  const urlWith = (changes: Record<string, string>) => {
    const next = new URLSearchParams(query);
    next.delete("after");
    for (const [name, value] of Object.entries(changes)) {
      next.delete(name);
      if (value) next.set(name, value);
    }
    const text = next.toString();
    return `/jobs/list${text ? `?${text}` : ""}`;
  };
  const older = list.data?.next ? new URL(list.data.next, location.origin).searchParams.get("after") : null;
  const olderUrl = () => {
    const next = new URLSearchParams(query);
    next.set("after", older ?? "");
    return `/jobs/list?${next}`;
  };
  const filtered = [...query.keys()].some((name) => name !== "after");
  const rows = shown ?? [];
  const chosen = rows.filter((job) => ids.has(job.id));
  const selection = {
    chosen: ids,
    toggle: (id: string) => {
      const next = new Set(ids);
      if (!next.delete(id)) next.add(id);
      pick(next);
    },
    toggleAll: () => pick(rows.every((job) => ids.has(job.id)) ? new Set() : new Set(rows.map((job) => job.id))),
  };
  return (
    <>
      <div class="page-head"><h1>Jobs</h1>
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <label><span class="hidden">Search name or error</span>
            <input type="search" data-search placeholder="Search name or error" value={query.get("text") ?? ""} onInput={(event) => go(urlWith({ text: event.currentTarget.value }), true)} /></label>
          <LoaderField value={query.get("loader") ?? ""} onPick={(loader) => go(urlWith({ loader }))} />
          <select aria-label="Kind" value={query.get("kind") ?? ""} onChange={(event) => go(urlWith({ kind: event.currentTarget.value }))}>
            <option value="">All kinds</option><option value="load">Loads</option><option value="plan">Plans</option><option value="sql">SQL</option><option value="http">Requests</option><option value="command">Commands</option>
          </select>
          <select aria-label="Queue" value={query.get("queue") ?? ""} onChange={(event) => go(urlWith({ queue: event.currentTarget.value }))}>
            <option value="">All queues</option>
            {queues.data?.items.map((queue) => <option key={queue.name} value={queue.name}>{queue.name}</option>)}
          </select>
          <TimeFields query={query} set={(changes) => go(urlWith(changes))} />
          {query.get("node") && <span class="tag">node {query.get("node")}</span>}
          {filtered && <a href="/jobs/list">Clear</a>}
        </form>
      </div>
      <nav class="states" aria-label="State">
        <a href={urlWith({ state: "", retrying: "" })} aria-current={chosenStates.size === 0 && !query.has("retrying") ? "true" : undefined}>All</a>
        {states.map((state) => (
          <a key={state} class={`s-${state}`} href={urlWith({ state, retrying: "" })} aria-current={chosenStates.has(state) ? "true" : undefined}>
            <StateIcon state={state} />{stateWords[state]}{overview.data && <span class="badge">{count(overview.data.counts[state])}</span>}
          </a>
        ))}
        <a class="s-scheduled" href={urlWith({ state: "", retrying: "true" })} aria-current={query.get("retrying") === "true" ? "true" : undefined}>
          <StateIcon state="processing" still />Retrying{overview.data && <span class="badge">{count(overview.data.retrying)}</span>}</a>
      </nav>
      {chosen.length > 0 && <Chosen jobs={chosen} clear={() => pick(new Set())} />}
      <Panel title={query.get("after") ? "Older jobs" : "Newest jobs"} aside={waiting > 0 && !query.get("after") && (
        <button type="button" class="pill" onClick={take}>{waiting} new {waiting === 1 ? "job" : "jobs"}</button>
      )}>
        <div onPointerEnter={() => void (held.current = true)} onPointerLeave={() => void (held.current = false)}
          onFocusIn={() => void (held.current = true)} onFocusOut={() => void (held.current = false)}>
          {shown ? (
            <JobTable jobs={shown} selection={selection} empty={
              older ? <>None among the jobs looked at so far; older ones may match.</>
                : filtered ? <>No job matches. <a href="/jobs/list">Show all jobs</a></> : <>No job has run yet. A loader's “Run now” starts one.</>
            } />
          ) : <Waiting error={list.error} />}
        </div>
        {(older || query.get("after")) && (
          <nav class="pager" aria-label="Older and newer">
            {query.get("after") ? <a href={urlWith({})}>← Newest</a> : <span />}
            {older ? <a href={olderUrl()} rel="next">Older →</a> : <span class="quiet">the oldest kept</span>}
          </nav>
        )}
      </Panel>
    </>
  );
}
