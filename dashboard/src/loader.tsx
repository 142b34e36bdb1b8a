// /jobs/loaders/NAME: one loader, its schedule, its last runs, what it loads.
import { ActionButton } from "./actions.tsx";
import { Bars } from "./bars.tsx";
import { absolute, count, dayTime, duration, viewerZone } from "./format.ts";
import { JobTable } from "./job-table.tsx";
import { useData } from "./live.ts";
import { LoaderState, ScheduleText } from "./loaders.tsx";
import { Empty, Failure, Panel, Table, Time, useNow, Waiting } from "./parts.tsx";
import { listUrl } from "./route.ts";
import type { Job, List, LoaderDetail } from "./types.ts";

function Facts({ loader }: { loader: LoaderDetail }) {
  return (
    <dl class="facts">
      <div><dt>Schedule</dt><dd><ScheduleText schedule={loader.schedule} />
        {loader.schedule.phrase && <span class="sub">written “{loader.schedule.phrase}”</span>}</dd></div>
      <div><dt>Target</dt><dd class="mono">{loader.table}{loader.rows !== null && <span class="sub">{count(loader.rows)} rows after the last run</span>}</dd></div>
      <div><dt>Mode</dt><dd>{loader.mode}<span class="sub">vanished rows: {loader.vanished}</span></dd></div>
      <div><dt>Key</dt><dd class="mono">{loader.key.join(", ") || "none"}</dd></div>
      <div><dt>Retry</dt><dd>{loader.retry.limit ? `${loader.retry.limit} times, first after ${duration(loader.retry.delayMs)}` : "never"}</dd></div>
      <div><dt>Definition</dt><dd class="mono wrap">{loader.definition.file}<span class="sub">{loader.definition.hash.slice(0, 12)}{loader.definition.usingStored ? ", runs as last stored" : ""}</span></dd></div>
    </dl>
  );
}

function Upcoming({ times }: { times: string[] }) {
  const now = useNow();
  if (!times.length) return <Empty>No next time: it runs by hand only.</Empty>;
  return (
    <ol class="times">
      {times.map((time) => (
        <li key={time}><span>{dayTime(time)}</span> <span class="quiet"><Time at={time} key={String(now > Date.parse(time))} /></span></li>
      ))}
      <li class="quiet small">your zone: {viewerZone()}</li>
    </ol>
  );
}

export function LoaderPage({ name }: { name: string }) {
  const encoded = encodeURIComponent(name);
  const loaded = useData<LoaderDetail>(`/api/v1/loaders/${encoded}`, ["jobs", "loaders", "definitions"]);
  const jobs = useData<List<Job>>(`/api/v1/jobs?loader=${encoded}&limit=15`, ["jobs"]);
  const loader = loaded.data;
  if (!loader) return <><h1>{name}</h1><Waiting error={loaded.error} /></>;
  return (
    <>
      <div class="page-head">
        <h1>{loader.name}</h1><LoaderState loader={loader} />
        {loader.tags.map((tag) => <span class="tag" key={tag}>{tag}</span>)}
        <div class="actions">
          <ActionButton primary shortcut="r" url={`/api/v1/loaders/${encoded}/run`} label="Run now" name={name} done="Started" />
          <ActionButton url={`/api/v1/loaders/${encoded}/plan`} label="Plan" name={name} done="Planning" />
          {loader.paused
            ? <ActionButton url={`/api/v1/loaders/${encoded}/resume`} label="Resume" name={name} done={`${name} follows its schedule again`} />
            : <ActionButton url={`/api/v1/loaders/${encoded}/pause`} label="Pause" name={name} done={`${name} is paused`} />}
        </div>
      </div>
      {loader.description && <p class="lead">{loader.description}</p>}
      {loader.definition.error && <Failure error={{ code: "invalidDefinition", message: loader.definition.error, where: `${loader.definition.file}:${loader.definition.line}` }} />}
      {loader.schedule.warnings.map((warning) => <p class="warning" key={warning}>{warning}</p>)}
      <div class="split">
        <Panel title="Last runs" aside={<a href={listUrl({ loader: name })}>all its jobs</a>}>
          <div class="bars-place"><Bars receipts={loader.receipts} tall /></div>
          {jobs.data ? <JobTable jobs={jobs.data.items} withoutLoader /> : <Waiting error={jobs.error} />}
        </Panel>
        <div class="stack">
          <Panel title="Next runs">
            {loader.paused ? <Empty>Paused: nothing runs by itself.</Empty> : <Upcoming times={loader.next} />}
          </Panel>
          <Panel title="What it does"><Facts loader={loader} /></Panel>
        </div>
      </div>
      <div class="split even">
        <Panel title="Sources and guards">
          <Table caption="Sources" class="dense">
            <thead><tr><th scope="col">Kind</th><th scope="col">From</th><th scope="col">Format</th></tr></thead>
            <tbody>{loader.sources.map((source, index) => (
              <tr key={index}><td>{source.kind}</td><td class="mono wrap">{source.location}</td><td>{source.format}</td></tr>
            ))}</tbody>
          </Table>
          {loader.guards.length > 0 && (
            <Table caption="Guards" class="dense">
              <thead><tr><th scope="col">Guard</th><th scope="col" class="num">Limit</th></tr></thead>
              <tbody>{loader.guards.map((guard) => <tr key={guard.name}><td>{guard.name}</td><td class="num">{guard.limit}</td></tr>)}</tbody>
            </Table>
          )}
        </Panel>
        <Panel title="Columns">
          {loader.columns.length ? (
            <Table caption="Columns" class="dense">
              <thead><tr><th scope="col">Column</th><th scope="col">Type</th><th scope="col">From</th><th scope="col">Rule</th></tr></thead>
              <tbody>{loader.columns.map((column) => (
                <tr key={column.name}><th scope="row" class="mono">{column.name}</th><td class="mono">{column.type}</td>
                  <td class="mono quiet">{column.from ?? ""}</td><td>{[column.key && "key", column.required && "required"].filter(Boolean).join(", ")}</td></tr>
              ))}</tbody>
            </Table>
          ) : <Empty>Not known before the first run.</Empty>}
        </Panel>
      </div>
      <p class="quiet small">Definition accepted as {loader.definition.hash.slice(0, 12)}{loader.lastRun?.finishedAt ? `; last run ended ${absolute(loader.lastRun.finishedAt)}` : ""}.</p>
    </>
  );
}
