// The table of loaders: on the overview and at /jobs/loaders.
import { useState } from "preact/hooks";
import { Bars } from "./bars.tsx";
import { useData } from "./live.ts";
import { ActionButton, Empty, JobLink, LoaderLink, Panel, StateBadge, StateIcon, Table, Time, Waiting } from "./parts.tsx";
import { jobUrl } from "./route.ts";
import type { List, Loader, Schedule } from "./types.ts";

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

export function LoadersPage() {
  const loaders = useData<List<Loader>>("/api/v1/loaders", ["jobs", "loaders", "definitions"]);
  const [text, setText] = useState("");
  const shown = loaders.data?.items.filter((loader) =>
    [loader.name, loader.table, loader.description ?? "", ...loader.tags].some((part) => part.toLowerCase().includes(text.toLowerCase())));
  return (
    <>
      <div class="page-head"><h1>Loaders</h1>
        <label class="search"><span class="hidden">Find a loader</span>
          <input type="search" placeholder="Find by name, table or tag" data-search value={text} onInput={(event) => setText(event.currentTarget.value)} /></label>
      </div>
      <Panel title="All loaders" aside={shown && <span class="quiet">{shown.length}</span>}>
        {shown ? (shown.length || !text ? <LoaderTable loaders={shown} /> : <Empty>No loader matches “{text}”.</Empty>) : <Waiting error={loaders.error} />}
      </Panel>
    </>
  );
}

export { LoaderLink };
