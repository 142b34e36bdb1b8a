// /jobs/ID: one job: how it went, what it changed, what it could not take, what it said.
import { ActionButton } from "./actions.tsx";
import { absolute, bytes, clockTime, count, duration } from "./format.ts";
import { useData } from "./live.ts";
import { Empty, Failure, JobLink, LoaderLink, Panel, StateBadge, StateIcon, stateWords, Table, Time, Waiting } from "./parts.tsx";
import { ProgressLine } from "./progress.tsx";
import { JobTable } from "./job-table.tsx";
import { ChangeTable, Log, Pages, RejectTable } from "./records.tsx";
import { listUrl } from "./route.ts";
import type { Batch, Change, Job, JobDetail, List, LogLine, Receipt, Reject } from "./types.ts";

function Counts({ receipt }: { receipt: Receipt }) {
  const cells: [string, number, string][] = [
    ["Read", receipt.read, ""], ["Inserted", receipt.inserted, "ins"], ["Updated", receipt.updated, "upd"],
    ["Deleted", receipt.deleted, "del"], ["Restored", receipt.restored, "ins"], ["Unchanged", receipt.unchanged, ""],
    ["Vanished", receipt.vanished, ""], ["Rejected", receipt.rejected, "rej"], ["Duplicates", receipt.duplicates, ""],
    ["Ignored", receipt.ignored, ""],
  ];
  const always = new Set(["Read", "Inserted", "Updated", "Deleted", "Unchanged"]);
  return (
    <>
      <dl class="counts">
        {cells.filter(([name, value]) => value || always.has(name)).map(([name, value, tone]) => (
          <div key={name} class={value ? tone : "zero"}><dt>{name}</dt><dd>{count(value)}</dd></div>
        ))}
      </dl>
      <p class="quiet receipt-note">
        {receipt.notModified > 0 && <span>the source answered “not modified”</span>}
        <span>{bytes(receipt.bytes)} fetched</span>
        <span>{count(receipt.requests)} {receipt.requests === 1 ? "request" : "requests"}</span>
        <span>{duration(receipt.durationMs)}</span>
        {receipt.rowsAfter !== undefined && receipt.applied && <span>the table has {count(receipt.rowsAfter)} rows</span>}
        {!receipt.applied && <strong>nothing was applied</strong>}
      </p>
      {((receipt.schemaChanges?.length ?? 0) > 0 || (receipt.notes?.length ?? 0) > 0) && (
        <ul class="notes">
          {receipt.schemaChanges?.map((text) => <li key={text} class="schema">{text}</li>)}
          {receipt.notes?.map((text) => <li key={text} class="note-line">{text}</li>)}
        </ul>
      )}
    </>
  );
}

function Guards({ receipt }: { receipt: Receipt }) {
  if (!receipt.guards.length) return null;
  const looks = { ok: ["succeeded", "OK"], warned: ["held", "Warned"], breached: ["failed", "Breached"] } as const;
  return (
    <Table caption="Guards" class="dense">
      <thead><tr><th scope="col">Guard</th><th scope="col">Limit</th><th scope="col">Actual</th><th scope="col">Verdict</th></tr></thead>
      <tbody>{receipt.guards.map((guard) => {
        // A receipt of another version may hold a word this page does not know: show it as it stands.
        const [state, word] = looks[guard.verdict ?? "ok"] ?? ["held", String(guard.verdict)];
        return (
          <tr key={guard.name}><th scope="row">{guard.name}</th><td>{guard.limit}</td><td>{guard.actual}</td>
            <td><StateBadge state={state} word={word} />{guard.message && <span class="sub">{guard.message}</span>}</td></tr>
        );
      })}</tbody>
    </Table>
  );
}

function Timeline({ job }: { job: JobDetail }) {
  return (
    <ol class="timeline">
      {job.states.map((entry, index) => {
        const next = job.states[index + 1];
        const lasted = next ? Date.parse(next.at) - Date.parse(entry.at) : null;
        return (
          <li key={index} class={`s-${entry.state}`}>
            <span class="timeline-mark"><StateIcon state={entry.state} /></span>
            <div>
              <p class="timeline-head"><strong>{stateWords[entry.state]}</strong>
                <time dateTime={entry.at} title={absolute(entry.at)} class="quiet">{clockTime(entry.at)}</time>
                {lasted !== null && lasted > 0 && <span class="quiet">for {duration(lasted)}</span>}
                {entry.attempt > 1 && <span class="tag">attempt {entry.attempt}</span>}</p>
              {entry.reason && <p class="timeline-text">{entry.reason}</p>}
              {entry.error && <p class="timeline-text error-text">{entry.error.message}</p>}
              {entry.node && <p class="quiet small mono">{entry.node}</p>}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Facts({ job }: { job: JobDetail }) {
  const rows: [string, preact.ComponentChildren][] = [
    ["Loader", job.loader ? <LoaderLink name={job.loader} /> : null],
    ["Started by", job.startedBy],
    ["Planned for", job.fireAt ? <>{absolute(job.fireAt)}</> : "started by hand"],
    ["Runs at", job.dueAt && job.state === "scheduled" ? <Time at={job.dueAt} /> : null],
    ["Created", <Time at={job.createdAt} />], ["Started", job.startedAt ? <Time at={job.startedAt} /> : null],
    ["Finished", job.finishedAt ? <Time at={job.finishedAt} /> : null],
    ["Took", job.durationMs === null ? null : duration(job.durationMs)],
    ["Attempt", `${job.attempt} of ${job.maxAttempts}`], ["Queue", job.queue],
    ["Node", job.node && <span class="mono wrap">{job.node}</span>],
    ["Table", job.table && <span class="mono">{job.table}</span>],
    ["Waits because", job.note],
    ["Blocked by", job.blockedBy && <JobLink id={job.blockedBy} />], ["After", job.parent && <JobLink id={job.parent} />],
    ["Then", (job.children ?? []).length > 0 && (job.children ?? []).map((child) => <><JobLink id={child.id} /> {child.name} ({child.state}) </>)],
    ["Batch", job.batch && <JobLink id={job.batch} />],
    ["Jobs of it", job.members && `${job.members.total}: ${job.members.pending} pending, ${job.members.succeeded} succeeded, ${job.members.failed} failed, ${job.members.deleted} deleted`],
    ["Others", job.loader && <a href={listUrl({ loader: job.loader })}>all jobs of this loader</a>],
    ["Definition", job.definitionHash && <span class="mono">{job.definitionHash.slice(0, 12)}</span>],
  ];
  return <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

// What the job left as its result, as the handler wrote it.
function Result({ value }: { value: unknown }) {
  return <pre class="ddl" tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>;
}

function Members({ id, members }: { id: string; members: Batch }) {
  const jobs = useData<List<Job>>(`/api/v1/jobs?batch=${encodeURIComponent(id)}&limit=50`, ["jobs"]);
  const ended = members.total - members.pending;
  return (
    <Panel title="Jobs of this batch" aside={<span class="quiet">{count(ended)} of {count(members.total)} ended</span>}>
      <p><meter min={0} max={Math.max(1, members.total)} value={ended} aria-label={`${ended} of ${members.total} jobs have ended`} />{" "}
        {count(members.succeeded)} succeeded, {count(members.failed)} failed, {count(members.deleted)} deleted, {count(members.pending)} pending</p>
      {jobs.data ? <JobTable jobs={jobs.data.items} /> : <Waiting error={jobs.error} />}
      {jobs.data?.next && <p class="quiet">The newest 50 of {count(members.total)}.</p>}
    </Panel>
  );
}

export function JobPage({ id }: { id: string }) {
  const base = `/api/v1/jobs/${encodeURIComponent(id)}`;
  const loaded = useData<JobDetail>(base, ["jobs"], id);
  const job = loaded.data;
  if (!job) return <><h1>Job {id}</h1><Waiting error={loaded.error} /></>;
  const can = new Set(job.actions);
  const running = job.state === "processing";
  const waits = job.state === "scheduled" && job.dueAt;
  return (
    <>
      <div class="page-head">
        <h1>{job.loader ?? job.name} <span class="quiet mono">#{job.id}</span></h1>
        <StateBadge state={job.state} {...(job.state === "scheduled" && job.attempt > 0 ? { word: "Retrying" } : {})} />
        {job.kind !== "load" && <span class="tag">{job.kind}</span>}
        <div class="actions">
          {can.has("approve") && <ActionButton primary url={`${base}/approve`} label="Approve" name={`job ${id}`} done="Approved" />}
          {can.has("retry") && <ActionButton primary shortcut="r" url={`${base}/retry`} label={job.state === "scheduled" ? "Run now" : "Run again"} name={`job ${id}`} done="Enqueued" />}
          {can.has("undo") && <ActionButton url={`${base}/undo`} label="Undo" name={`job ${id}`} done="Undo started"
            confirm={{ title: `Undo job ${id}?`, text: "The rows that this run changed get their old values back, and the loader is paused.", yes: "Undo this run" }} />}
          {can.has("cancel") && <ActionButton danger url={`${base}/cancel`} label="Cancel" name={`job ${id}`} done={running ? "Asked to stop" : "Cancelled"}
            confirm={{ title: `Cancel job ${id}?`, text: running ? "It is asked to stop and writes nothing. It can be run again later." : "It is deleted before it begins. It can be run again later.", yes: "Cancel this job" }} />}
        </div>
      </div>
      {job.state === "processing" && <Panel title="Progress"><ProgressLine job={job} /></Panel>}
      {waits && <p class="warning">{job.attempt > 0 ? `Attempt ${job.attempt} of ${job.maxAttempts} failed; the next one starts` : "It starts"} <Time at={waits} />.</p>}
      {job.error && <Failure error={job.error} />}
      {job.reason && !job.error && <p class="warning">{job.reason}</p>}
      <div class="split">
        <div class="stack">
          {job.receipt && <Panel title="Receipt"><Counts receipt={job.receipt} /><Guards receipt={job.receipt} /></Panel>}
          {job.members && <Members id={job.id} members={job.members} />}
          {job.result !== null && job.result !== undefined && <Panel title="Result"><Result value={job.result} /></Panel>}
          {job.plan ? (
            <Panel title="What a run would do">
              {job.plan.ddl.length > 0 && <pre class="ddl" tabIndex={0}>{job.plan.ddl.join("\n")}</pre>}
              {job.plan.changes.length ? <ChangeTable changes={job.plan.changes} /> : <Empty>No row would change.</Empty>}
            </Panel>
          ) : job.loader && (
            <Panel title="Changed rows">
              <Pages<Change> url={`${base}/changes?limit=50`} job={job} empty={job.receipt && !job.receipt.applied ? "Nothing was applied, so no row changed." : "This run changed no row."} render={(items) => <ChangeTable changes={items} />} />
            </Panel>
          )}
          {(job.receipt?.rejected ?? 0) > 0 && (
            <Panel title="Rejected records" aside={<span class="quiet">{count(job.receipt?.rejected ?? 0)}</span>}>
              <Pages<Reject> url={`${base}/rejects?limit=50`} job={job} empty="No record was rejected." render={(items) => <RejectTable rejects={items} />} />
            </Panel>
          )}
          <Panel title="Log">
            <Pages<LogLine> url={`${base}/log?limit=200`} job={job} empty="This job logged nothing." render={(items) => <Log lines={items} running={running} />} />
          </Panel>
        </div>
        <div class="stack">
          <Panel title="History"><Timeline job={job} /></Panel>
          <Panel title="Facts"><Facts job={job} /></Panel>
        </div>
      </div>
    </>
  );
}
