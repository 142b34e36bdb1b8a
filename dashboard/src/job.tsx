// /jobs/ID: one job: how it went, what it changed, what it could not take, what it said.
import { useEffect, useState } from "preact/hooks";
import { absolute, bytes, clockTime, count, duration } from "./format.ts";
import { getJson, useData } from "./live.ts";
import { ActionButton, Empty, Failure, JobLink, LoaderLink, Panel, StateBadge, StateIcon, stateWords, Table, Time, Waiting } from "./parts.tsx";
import { ProgressLine } from "./progress.tsx";
import type { Change, JobDetail, List, LogLine, Receipt, Reject, Value } from "./types.ts";

const final = new Set(["succeeded", "failed", "deleted", "skipped", "held"]);

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
        {!receipt.applied && <strong>nothing was applied</strong>}
      </p>
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

const show = (value: Value) => value === null
  ? <span class="null">null</span>
  : <span class="value">{value === "" ? <span class="null">empty</span> : String(value)}</span>;

const opLooks = { insert: ["ins", "+", "Insert"], update: ["upd", "~", "Update"], delete: ["del", "−", "Delete"], restore: ["ins", "↺", "Restore"] } as const;

export function ChangeTable({ changes }: { changes: Change[] }) {
  return (
    <Table caption="Changed rows, before and after" class="changes">
      <thead><tr><th scope="col">Change</th><th scope="col">Key</th><th scope="col">Column</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
      <tbody>
        {changes.map((change, index) => {
          const [tone, sign, word] = opLooks[change.op];
          const lines = change.columns.length ? change.columns : [null];
          return lines.map((column, line) => (
            <tr key={`${index}.${line}`} class={line ? "more" : "first"}>
              {line === 0 && <td rowSpan={lines.length}><span class={`op ${tone}`}>{sign} {word}</span></td>}
              {line === 0 && <th scope="rowgroup" rowSpan={lines.length} class="mono wrap">{change.key.map((part) => <span key={part.name} title={part.name}>{show(part.value)} </span>)}</th>}
              <td class="mono">{column?.name ?? <span class="quiet">all</span>}</td>
              <td class="mono wrap">{column && change.op !== "insert" ? <del>{show(column.before)}</del> : <span class="quiet">–</span>}</td>
              <td class="mono wrap">{column && change.op !== "delete" ? <ins>{show(column.after)}</ins> : <span class="quiet">–</span>}</td>
            </tr>
          ));
        })}
      </tbody>
    </Table>
  );
}

function RejectTable({ rejects }: { rejects: Reject[] }) {
  return (
    <Table caption="Rejected records" class="dense">
      <thead><tr><th scope="col" class="num">Record</th><th scope="col">Where</th><th scope="col">Column</th><th scope="col">Why</th><th scope="col">As it came</th></tr></thead>
      <tbody>{rejects.map((reject) => (
        <tr key={reject.ordinal}><td class="num">{count(reject.ordinal)}</td>
          <td class="mono wrap">{reject.source ?? ""}{reject.line ? `:${reject.line}` : ""}</td><td class="mono">{reject.column ?? ""}</td>
          <td class="wrap">{reject.message}</td><td class="mono wrap raw">{reject.raw ?? ""}</td></tr>
      ))}</tbody>
    </Table>
  );
}

function Log({ lines }: { lines: LogLine[] }) {
  return (
    <ol class="log" aria-label="Log lines" tabIndex={0}>
      {lines.map((line, index) => (
        <li key={index} class={`log-${line.level}`}><time dateTime={line.at}>{clockTime(line.at)}</time><span class="level">{line.level}</span><span>{line.message}</span></li>
      ))}
    </ol>
  );
}

// A list below the job with "more": shown pages stay, the first one is live.
function Pages<T>({ url, job, empty, render }: {
  url: string; job: JobDetail; empty: string; render: (items: T[]) => preact.ComponentChildren;
}) {
  const first = useData<List<T>>(url, ["jobs"], job.id);
  const [more, setMore] = useState<{ items: T[]; next: string | null } | null>(null);
  useEffect(() => setMore(null), [url]);
  if (!first.data) return <Waiting error={first.error} />;
  const items = [...first.data.items, ...(more?.items ?? [])];
  const next = more ? more.next : first.data.next;
  if (!items.length) return <Empty>{final.has(job.state) ? empty : "Nothing yet."}</Empty>;
  const load = async () => {
    if (!next) return;
    const page = await getJson<List<T>>(next).catch(() => null);
    if (page) setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
  };
  return <>{render(items)}{next && <p class="more-place"><button type="button" onClick={load}>More</button></p>}</>;
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
    ["Blocked by", job.blockedBy && <JobLink id={job.blockedBy} />], ["After", job.parent && <JobLink id={job.parent} />],
    ["Definition", job.definitionHash && <span class="mono">{job.definitionHash.slice(0, 12)}</span>],
  ];
  return <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

export function JobPage({ id }: { id: string }) {
  const base = `/api/v1/jobs/${encodeURIComponent(id)}`;
  const loaded = useData<JobDetail>(base, ["jobs"], id);
  const job = loaded.data;
  if (!job) return <><h1>Job {id}</h1><Waiting error={loaded.error} /></>;
  const can = new Set(job.actions);
  return (
    <>
      <div class="page-head">
        <h1>{job.loader ?? job.name} <span class="quiet mono">#{job.id}</span></h1>
        <StateBadge state={job.state} {...(job.state === "scheduled" && job.attempt > 0 ? { word: "Retrying" } : {})} />
        {job.kind !== "load" && <span class="tag">{job.kind}</span>}
        <div class="actions">
          {can.has("approve") && <ActionButton primary url={`${base}/approve`} label="Approve" name={`job ${id}`} done="Approved" />}
          {can.has("retry") && <ActionButton primary shortcut="r" url={`${base}/retry`} label={job.state === "scheduled" ? "Run now" : "Retry"} name={`job ${id}`} done="Enqueued again" />}
          {can.has("undo") && <ActionButton url={`${base}/undo`} label="Undo" name={`job ${id}`} done="Undo started" />}
          {can.has("cancel") && <ActionButton danger url={`${base}/cancel`} label="Cancel" name={`job ${id}`} done="Cancelled" />}
        </div>
      </div>
      {job.state === "processing" && <Panel title="Progress"><ProgressLine job={job} /></Panel>}
      {job.error && <Failure error={job.error} />}
      {job.reason && !job.error && <p class="warning">{job.reason}</p>}
      <div class="split">
        <div class="stack">
          {job.receipt && <Panel title="Receipt"><Counts receipt={job.receipt} /><Guards receipt={job.receipt} /></Panel>}
          {job.plan ? (
            <Panel title="What a run would do">
              {job.plan.ddl.length > 0 && <pre class="ddl" tabIndex={0}>{job.plan.ddl.join("\n")}</pre>}
              {job.plan.changes.length ? <ChangeTable changes={job.plan.changes} /> : <Empty>No row would change.</Empty>}
            </Panel>
          ) : (
            <Panel title="Changed rows">
              <Pages<Change> url={`${base}/changes?limit=50`} job={job} empty="This run changed no row." render={(items) => <ChangeTable changes={items} />} />
            </Panel>
          )}
          {(job.receipt?.rejected ?? 0) > 0 && (
            <Panel title="Rejected records">
              <Pages<Reject> url={`${base}/rejects?limit=50`} job={job} empty="No record was rejected." render={(items) => <RejectTable rejects={items} />} />
            </Panel>
          )}
          <Panel title="Log">
            <Pages<LogLine> url={`${base}/log?limit=200`} job={job} empty="This job logged nothing." render={(items) => <Log lines={items} />} />
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
