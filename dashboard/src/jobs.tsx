// /jobs/list: all jobs, newest first. Filters live in the URL; pages are keyset pages.
import { useEffect, useRef, useState } from "preact/hooks";
import { count, duration } from "./format.ts";
import { useData } from "./live.ts";
import { Empty, JobLink, LoaderLink, Panel, StateBadge, StateIcon, stateWords, Table, Time, Waiting } from "./parts.tsx";
import { go, usePlace } from "./route.ts";
import { states } from "./types.ts";
import type { Job, List, Loader, Overview, Receipt, State } from "./types.ts";

export function Changed({ receipt }: { receipt: Receipt }) {
  if (receipt.notModified) return <span class="quiet">not modified</span>;
  const parts: [string, string, number][] = [
    ["ins", "+", receipt.inserted], ["upd", "~", receipt.updated], ["del", "−", receipt.deleted], ["ins", "↺", receipt.restored], ["rej", "!", receipt.rejected],
  ];
  const words: Record<string, string> = { "+": "inserted", "~": "updated", "−": "deleted", "↺": "restored", "!": "rejected" };
  const shown = parts.filter(([, , value]) => value > 0);
  if (!shown.length) return <span class="quiet">unchanged</span>;
  return (
    <span class="changed">
      {shown.map(([tone, sign, value]) => <span class={tone} key={sign} title={`${count(value)} ${words[sign]}`}>{sign}{count(value)}<span class="hidden"> {words[sign]}</span></span>)}
      {!receipt.applied && <span class="quiet">not applied</span>}
    </span>
  );
}

export function JobTable({ jobs, withoutLoader = false }: { jobs: Job[]; withoutLoader?: boolean }) {
  if (!jobs.length) return <Empty>No jobs here.</Empty>;
  return (
    <Table caption="Jobs, newest first">
      <thead>
        <tr>
          <th scope="col">Job</th><th scope="col">State</th>{!withoutLoader && <th scope="col">What</th>}
          <th scope="col">Rows</th><th scope="col" class="from-s">Created</th><th scope="col" class="num from-s">Took</th>
          <th scope="col" class="num from-m">Attempt</th><th scope="col" class="from-l">Error</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id} data-row-box>
            <th scope="row"><a class="mono" href={`/jobs/${job.id}`} data-row>#{job.id}</a></th>
            <td><StateBadge state={job.state} {...(job.state === "scheduled" && job.attempt > 0 ? { word: "Retrying" } : {})} /></td>
            {!withoutLoader && <td>{job.loader ? <LoaderLink name={job.loader} /> : job.name}{job.kind !== "load" && <span class="tag">{job.kind}</span>}</td>}
            <td>{job.receipt ? <Changed receipt={job.receipt} /> : job.progress ? <span class="quiet">{count(job.progress.rows)} read</span> : <span class="quiet">–</span>}</td>
            <td class="from-s"><Time at={job.createdAt} /></td>
            <td class="num from-s">{job.durationMs === null ? <span class="quiet">–</span> : duration(job.durationMs)}</td>
            <td class="num from-m">{job.attempt}<span class="quiet">/{job.maxAttempts}</span></td>
            <td class="from-l clip error-text" title={job.error?.message ?? ""}>{job.error?.message}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

const filters = ["state", "loader", "kind", "queue", "node", "retrying", "text", "from", "to", "after"];

function apiUrl(query: URLSearchParams): string {
  const wanted = new URLSearchParams();
  for (const name of filters) query.getAll(name).forEach((value) => value && wanted.append(name, value));
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

export function JobsPage() {
  const { query } = usePlace();
  const url = apiUrl(query);
  const list = useData<List<Job>>(url, ["jobs"]);
  const overview = useData<Overview>("/api/v1/overview?window=1h", ["jobs"]);
  const loaders = useData<List<Loader>>("/api/v1/loaders", ["definitions"]);
  const { shown, waiting, held, take } = useSteady(list.data?.items, url);
  const chosen = new Set(query.getAll("state").flatMap((value) => value.split(",")).filter(Boolean));

  const set = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    next.delete("after");
    next.delete(name);
    if (value) next.set(name, value);
    const text = next.toString();
    go(`/jobs/list${text ? `?${text}` : ""}`, name === "text");
  };
  const stateLink = (state: State | null) => {
    const next = new URLSearchParams(query);
    next.delete("after");
    next.delete("state");
    if (state) next.set("state", state);
    const text = next.toString();
    return `/jobs/list${text ? `?${text}` : ""}`;
  };
  const older = list.data?.next ? new URL(list.data.next, location.origin).searchParams.get("after") : null;
  const olderUrl = () => {
    const next = new URLSearchParams(query);
    next.set("after", older ?? "");
    return `/jobs/list?${next}`;
  };
  const newest = new URLSearchParams(query);
  newest.delete("after");
  const filtered = [...query.keys()].some((name) => name !== "after");
  return (
    <>
      <div class="page-head"><h1>Jobs</h1>
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <label><span class="hidden">Search name or error</span>
            <input type="search" data-search placeholder="Search name or error" value={query.get("text") ?? ""} onInput={(event) => set("text", event.currentTarget.value)} /></label>
          <label>
            <select aria-label="Loader" value={query.get("loader") ?? ""} onChange={(event) => set("loader", event.currentTarget.value)}>
              <option value="">All loaders</option>
              {loaders.data?.items.map((loader) => <option key={loader.name} value={loader.name}>{loader.name}</option>)}
            </select></label>
          {filtered && <a href="/jobs/list">Clear</a>}
        </form>
      </div>
      <nav class="states" aria-label="State">
        <a href={stateLink(null)} aria-current={chosen.size === 0 ? "true" : undefined}>All</a>
        {states.map((state) => (
          <a key={state} class={`s-${state}`} href={stateLink(state)} aria-current={chosen.has(state) ? "true" : undefined}>
            <StateIcon state={state} />{stateWords[state]}{overview.data && <span class="badge">{count(overview.data.counts[state])}</span>}
          </a>
        ))}
      </nav>
      <Panel title={query.get("after") ? "Older jobs" : "Newest jobs"} aside={waiting > 0 && !query.get("after") && (
        <button type="button" class="pill" onClick={take}>{waiting} new {waiting === 1 ? "job" : "jobs"}</button>
      )}>
        <div onPointerEnter={() => void (held.current = true)} onPointerLeave={() => void (held.current = false)}
          onFocusIn={() => void (held.current = true)} onFocusOut={() => void (held.current = false)}>
          {shown ? <JobTable jobs={shown} /> : <Waiting error={list.error} />}
        </div>
        {(older || query.get("after")) && (
          <nav class="pager" aria-label="Older and newer">
            {query.get("after") ? <a href={`/jobs/list?${newest}`}>← Newest</a> : <span />}
            {older ? <a href={olderUrl()} rel="next">Older →</a> : <span class="quiet">the oldest kept</span>}
          </nav>
        )}
      </Panel>
    </>
  );
}

export { JobLink };
