// /jobs: what runs, what comes next, what needs attention.
import { useState } from "preact/hooks";
import { Throughput } from "./chart.tsx";
import { count, shortCount } from "./format.ts";
import { useData } from "./live.ts";
import { LoaderTable } from "./loaders.tsx";
import { NodeStrip } from "./nodes.tsx";
import { ProgressLine } from "./progress.tsx";
import { Empty, JobLink, LoaderLink, Panel, StateBadge, StateIcon, Table, Time, Waiting } from "./parts.tsx";
import { jobUrl, listUrl, loaderUrl } from "./route.ts";
import type { Attention, List, Loader, Overview, State } from "./types.ts";

const windows = ["1h", "24h", "7d"] as const;

function Tile({ state, label, value, note, url }: { state: State; label: string; value: number; note: preact.ComponentChildren; url: string }) {
  return (
    <a class={`tile s-${state} ${value ? "" : "zero"}`} href={url}>
      <span class="tile-label"><StateIcon state={state} />{label}</span>
      <span class="tile-value" title={count(value)}>{shortCount(value)}</span>
      <span class="tile-note">{note}</span>
    </a>
  );
}

function Tiles({ data }: { data: Overview }) {
  const { counts } = data;
  return (
    <nav class="tiles" aria-label="Jobs by state">
      <Tile state="processing" label="Running" value={counts.processing} url={listUrl({ state: "processing" })}
        note={`${data.nodes.reduce((sum, node) => sum + (node.alive ? node.workers : 0), 0)} workers`} />
      <Tile state="enqueued" label="Waiting" value={counts.enqueued} url={listUrl({ state: "enqueued" })}
        note={data.oldestEnqueuedAt ? <>oldest <Time at={data.oldestEnqueuedAt} /></> : "nothing waits"} />
      <Tile state="scheduled" label="Scheduled" value={counts.scheduled} url={listUrl({ state: "scheduled" })}
        note={data.retrying ? `${count(data.retrying)} waiting for a retry` : "no retries"} />
      <Tile state="held" label="Held" value={counts.held} url={listUrl({ state: "held" })} note="by a guard" />
      <Tile state="failed" label="Failed" value={data.last24h.failed} url={listUrl({ state: "failed" })}
        note={`24 h · ${count(counts.failed)} kept`} />
      <Tile state="succeeded" label="Succeeded" value={data.last24h.succeeded} url={listUrl({ state: "succeeded" })}
        note={`24 h · ${shortCount(data.last24h.rowsChanged)} rows changed`} />
    </nav>
  );
}

const attentionWords: Record<string, string> = {
  failing: "Failing", invalidDefinition: "Broken definition", retrying: "Retrying", held: "Held", late: "Late",
  lostNode: "Lost node", conflict: "Conflict",
};

function AttentionList({ items }: { items: Attention[] }) {
  return (
    <ul class="attention">
      {items.map((item) => {
        const url = item.job ? jobUrl(item.job) : item.file ? "/jobs/definitions" : item.loader ? loaderUrl(item.loader) : "/jobs/nodes";
        return (
          <li key={`${item.kind} ${item.job} ${item.file} ${item.loader}`} class={item.severity}>
            <span class={`state ${item.severity === "error" ? "s-failed" : "s-held"}`}>
              <StateIcon state={item.severity === "error" ? "failed" : "held"} />{attentionWords[item.kind] ?? item.kind}
            </span>
            <a href={url} data-row>{item.loader ?? item.file ?? (item.job ? `job ${item.job}` : "node")}{item.line ? `:${item.line}` : ""}</a>
            <span class="attention-text">{item.message}</span>
            <span class="quiet attention-time"><Time at={item.since} fallback="" /></span>
          </li>
        );
      })}
    </ul>
  );
}

export function OverviewPage() {
  const [window_, setWindow] = useState<(typeof windows)[number]>("1h");
  const overview = useData<Overview>(`/api/v1/overview?window=${window_}`, ["jobs", "loaders", "definitions", "nodes"]);
  const loaders = useData<List<Loader>>("/api/v1/loaders?limit=20", ["jobs", "loaders", "definitions"]);
  const [last, setLast] = useState<Overview | null>(null);
  if (overview.data && overview.data !== last) setLast(overview.data);
  const data = overview.data ?? last;
  if (!data) return <><h1 class="hidden">Overview</h1><Waiting error={overview.error} /></>;
  return (
    <>
      <h1 class="hidden">Overview</h1>
      <Tiles data={data} />
      {data.needsAttention.length > 0 && (
        <Panel title="Needs attention" aside={<span class="quiet">{data.needsAttention.length}</span>} class="alerting">
          <AttentionList items={data.needsAttention} />
        </Panel>
      )}
      <div class="split">
        <Panel title="Throughput" aside={
          <div class="choice" role="group" aria-label="Length of the chart">
            {windows.map((name) => (
              <button key={name} type="button" aria-pressed={name === window_} onClick={() => setWindow(name)}>{name}</button>
            ))}
          </div>
        }>
          <Throughput buckets={data.throughput.buckets} bucketSeconds={data.throughput.bucketSeconds} now={data.now} />
        </Panel>
        <Panel title={data.running.length ? "Running and next" : "Next runs"} aside={<span class="quiet">{data.zone}</span>}>
          {data.running.length > 0 && (
            <ul class="running">
              {data.running.map((job) => (
                <li key={job.id}>
                  <div class="running-head"><StateBadge state="processing" word={job.loader ?? job.name} /><JobLink id={job.id} /></div>
                  <ProgressLine job={job} />
                </li>
              ))}
            </ul>
          )}
          {data.nextRuns.length ? (
            <Table caption="Next runs" class="dense">
              <thead class="hidden"><tr><th scope="col">Loader</th><th scope="col">Schedule</th><th scope="col">When</th></tr></thead>
              <tbody>
                {data.nextRuns.slice(0, data.running.length ? 5 : 8).map((run) => (
                  <tr key={run.loader + run.at}>
                    <th scope="row" class="clip"><LoaderLink name={run.loader} /></th>
                    <td class="quiet clip rest" title={run.english}>{run.english}</td>
                    <td class="num"><Time at={run.at} /></td>
                  </tr>
                ))}
              </tbody>
            </Table>
          ) : <Empty>No loader has a schedule.</Empty>}
        </Panel>
      </div>
      <Panel title="Loaders" aside={
        <span class="quiet">
          {count(data.loaders.total)} · {data.loaders.failing ? `${data.loaders.failing} failing · ` : ""}
          {data.loaders.paused ? `${data.loaders.paused} paused · ` : ""}<a href="/jobs/definitions">definitions</a>
        </span>
      }>
        {loaders.data ? <LoaderTable loaders={loaders.data.items} /> : <Waiting error={loaders.error} />}
        {loaders.data?.next && <nav class="pager" aria-label="More loaders"><span /><a href="/jobs/loaders">All {count(data.loaders.total)} loaders →</a></nav>}
      </Panel>
      <NodeStrip overview={data} />
    </>
  );
}
