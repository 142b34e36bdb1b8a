// The table of loaders: on the overview and at /jobs/loaders.
import { ActionButton } from "./actions.tsx";
import { useState } from "preact/hooks";
import { Bars } from "./bars.tsx";
import { count } from "./format.ts";
import { useData } from "./live.ts";
import { Empty, JobLink, Panel, StateBadge, StateIcon, Table, Time, Waiting } from "./parts.tsx";
import { go, jobUrl, listUrl, usePlace } from "./route.ts";
import type { List, Loader, Overview, Recurring, Schedule } from "./types.ts";

export function ScheduleText({ schedule }: { schedule: Schedule }) {
  return (
    <>
      <span class="english">{schedule.english}</span>
      {schedule.phrase !== null && (
        <span class="cron">
          {schedule.crons.length > 0 && <code>{schedule.crons.join(" | ")}</code>} {schedule.zone}
          {!schedule.exact && <abbr class="warn" title={schedule.warnings.join(" ") || "not exact"}> ≈</abbr>}
        </span>
      )}
    </>
  );
}

export function LoaderState({ loader }: { loader: Loader }) {
  if (loader.running) return <a class="state s-processing" href={jobUrl(loader.running)}><StateIcon state="processing" />Running</a>;
  if (!loader.definition.valid) return <span class="state s-failed" title={loader.definition.error ?? ""}><StateIcon state="failed" />Broken file</span>;
  if (!loader.enabled) return <span class="state s-deleted"><StateIcon state="held" />Off</span>;
  if (loader.paused) return <span class="state s-held"><StateIcon state="held" />Paused</span>;
  return loader.lastRun ? <StateBadge state={loader.lastRun.state} /> : <span class="state s-scheduled"><StateIcon state="scheduled" />New</span>;
}

export function LoaderTable({ loaders }: { loaders: Loader[] }) {
  if (!loaders.length) {
    return <Empty>No loaders yet. Drop a <code>Name.loader.yaml</code> into the definitions folder; it is live within a second.</Empty>;
  }
  return (
    <Table caption="Loaders" class="loaders">
      <thead>
        <tr>
          <th scope="col">Loader</th><th scope="col">State</th><th scope="col" class="from-s">Schedule</th>
          <th scope="col" class="from-m">Next</th><th scope="col" class="from-m">Last</th>
          <th scope="col" class="from-s">Last runs</th><th scope="col"><span class="hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        {loaders.map((loader) => (
          <tr key={loader.name} data-row-box>
            <th scope="row"><a href={`/jobs/loaders/${encodeURIComponent(loader.name)}`} data-row>{loader.name}</a>
              <span class="sub mono">{loader.table}</span></th>
            <td><LoaderState loader={loader} /></td>
            <td class="from-s schedule"><ScheduleText schedule={loader.schedule} /></td>
            <td class="from-m num-left"><Time at={loader.paused || !loader.enabled ? null : loader.nextRun} /></td>
            <td class="from-m num-left">
              {loader.lastRun ? <><Time at={loader.lastRun.finishedAt} /> <JobLink id={loader.lastRun.id} /></> : <span class="quiet">never</span>}
            </td>
            <td class="from-s"><Bars receipts={loader.receipts} /></td>
            <td class="act"><ActionButton url={`/api/v1/loaders/${encodeURIComponent(loader.name)}/run`} label="Run now" name={loader.name} done={`${loader.name} started`} /></td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

// What *.job.yaml defines: it has no table and no receipts, so it is told beside the loaders, not among them.
function Tasks() {
  const recurring = useData<List<Recurring>>("/api/v1/recurring?limit=500", ["jobs", "definitions"]);
  const tasks = recurring.data?.items.filter((item) => item.id === `job:${item.name}`) ?? [];
  if (!tasks.length) return null;
  const url = (item: Recurring, action: string) => `/api/v1/loaders/${encodeURIComponent(item.name)}/${action}`;
  return (
    <Panel title="Jobs" aside={<span class="quiet">{count(tasks.length)}</span>}>
      <Table caption="Jobs" class="loaders">
        <thead>
          <tr>
            <th scope="col">Job</th><th scope="col" class="from-s">Schedule</th><th scope="col" class="from-m">Next</th>
            <th scope="col">Last</th><th scope="col"><span class="hidden">Actions</span></th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((item) => (
            <tr key={item.id}>
              <th scope="row"><a href={listUrl({ loader: item.name })}>{item.name}</a> <span class="tag">{item.kind}</span>{item.paused && <span class="tag">paused</span>}
                {item.paused && item.pauseReason && <span class="sub">{item.pauseReason}</span>}</th>
              <td class="from-s schedule">{item.schedule && <ScheduleText schedule={item.schedule} />}</td>
              <td class="from-m num-left"><Time at={item.paused ? null : item.nextRun} /></td>
              <td>{item.lastJob ? <><StateBadge state={item.lastJob.state} /> <JobLink id={item.lastJob.id} /></> : <span class="quiet">never</span>}</td>
              <td class="act">
                <span class="from-s">{item.paused
                  ? <ActionButton url={url(item, "resume")} label="Resume" name={item.name} done={`${item.name} goes on`} />
                  : <ActionButton url={url(item, "pause")} label="Pause" name={item.name} done={`${item.name} is paused`} />}{" "}</span>
                <ActionButton url={url(item, "run")} label="Run now" name={item.name} done={`${item.name} started`} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

const kinds: [string, string][] = [["", "All"], ["running", "Running"], ["failing", "Failing"], ["paused", "Paused"], ["broken", "Broken file"], ["off", "Off"]];

export function LoadersPage() {
  const { query } = usePlace();
  const wanted = new URLSearchParams({ limit: "50" });
  for (const name of ["text", "state", "after"]) if (query.get(name)) wanted.set(name, query.get(name)!);
  const loaders = useData<List<Loader>>(`/api/v1/loaders?${wanted}`, ["jobs", "loaders", "definitions"]);
  const overview = useData<Overview>("/api/v1/overview?window=1h", ["loaders", "definitions"]);
  const [last, setLast] = useState<List<Loader> | null>(null);
  if (loaders.data && loaders.data !== last) setLast(loaders.data);
  const shown = loaders.data ?? (loaders.error ? null : last); // no blank page between two letters of a search
  const urlWith = (changes: Record<string, string>) => {
    const next = new URLSearchParams(query);
    next.delete("after");
    for (const [name, value] of Object.entries(changes)) {
      next.delete(name);
      if (value) next.set(name, value);
    }
    const text = next.toString();
    return `/jobs/loaders${text ? `?${text}` : ""}`;
  };
  const after = shown?.next ? new URL(shown.next, location.origin).searchParams.get("after") : null;
  const filtered = Boolean(query.get("text") || query.get("state"));
  const counts: Record<string, number | undefined> = { "": overview.data?.loaders.total, failing: overview.data?.loaders.failing, paused: overview.data?.loaders.paused };
  return (
    <>
      <div class="page-head"><h1>Loaders</h1>
        <label class="search"><span class="hidden">Find a loader</span>
          <input type="search" placeholder="Find by name, table or tag" data-search value={query.get("text") ?? ""} onInput={(event) => go(urlWith({ text: event.currentTarget.value }), true)} /></label>
      </div>
      <nav class="states" aria-label="State">
        {kinds.map(([state, word]) => (
          <a key={state} href={urlWith({ state })} aria-current={(query.get("state") ?? "") === state ? "true" : undefined}>{word}
            {counts[state] !== undefined && <span class="badge">{count(counts[state])}</span>}</a>
        ))}
      </nav>
      <Panel title={query.get("after") ? "More loaders" : filtered ? "Loaders that match" : "All loaders"}>
        {shown ? (shown.items.length || !filtered ? <LoaderTable loaders={shown.items} /> : <Empty>No loader matches. <a href="/jobs/loaders">Show all</a></Empty>) : <Waiting error={loaders.error} />}
        {(after || query.get("after")) && (
          <nav class="pager" aria-label="Pages">
            {query.get("after") ? <a href={urlWith({})}>← First</a> : <span />}
            {after ? <a href={`${urlWith({})}${filtered ? "&" : "?"}after=${encodeURIComponent(after)}`} rel="next">Next →</a> : <span class="quiet">the last</span>}
          </nav>
        )}
      </Panel>
      {!filtered && !query.get("after") && <Tasks />}
    </>
  );
}
