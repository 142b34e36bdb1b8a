// /jobs/nodes: processes, queues and recurring jobs; and the strip of nodes on the overview.
import { ActionButton } from "./actions.tsx";
import { bytes, count } from "./format.ts";
import { useData } from "./live.ts";
import { Empty, JobLink, LoaderLink, Panel, StateBadge, StateIcon, stateWords, Table, Time, Waiting } from "./parts.tsx";
import { listUrl } from "./route.ts";
import { ScheduleText } from "./loaders.tsx";
import type { List, Node, Overview, Queue, Recurring } from "./types.ts";

// Clocks further apart are worth a word: schedules and retries compare times that different nodes wrote.
const mostSkew = 2000;
const skewText = (ms: number) => `clock ${(Math.abs(ms) / 1000).toFixed(1)} s ${ms > 0 ? "ahead" : "behind"}`;

const Alive = ({ node }: { node: Node }) => <StateBadge state={node.alive ? "succeeded" : "failed"} word={node.alive ? "Alive" : "Lost"} />;

export function NodeStrip({ overview }: { overview: Overview }) {
  return (
    <footer class="strip">
      {overview.nodes.map((node) => (
        <a href="/jobs/nodes" key={node.id}><Alive node={node} /> {node.host} · {node.busy}/{node.workers} busy{node.memoryBytes !== null && ` · ${bytes(node.memoryBytes)}`}</a>
      ))}
      <span>Sluice {overview.version}</span><span class="mono wrap">{overview.database}</span>
      <span>up since <Time at={overview.startedAt} /></span>
    </footer>
  );
}

export function NodesPage() {
  const nodes = useData<List<Node>>("/api/v1/nodes", ["nodes"]);
  const queues = useData<List<Queue>>("/api/v1/queues", ["jobs"]);
  const recurring = useData<List<Recurring>>("/api/v1/recurring?limit=200", ["jobs", "loaders", "definitions"]);
  return (
    <>
      <h1>Nodes and queues</h1>
      <Panel title="Nodes">
        {nodes.data ? (
          <Table caption="Nodes">
            <thead><tr><th scope="col">Node</th><th scope="col">State</th><th scope="col">Busy</th><th scope="col" class="num from-s">Memory</th><th scope="col" class="from-s">Started</th><th scope="col">Seen</th><th scope="col" class="from-m">Version</th></tr></thead>
            <tbody>{nodes.data.items.map((node) => (
              <tr key={node.id} data-row-box>
                <th scope="row"><a class="mono" data-row href={listUrl({ node: node.id })}>{node.id}</a><span class="sub">{node.host}, process {node.pid}{node.self && ", this page's"}</span>{node.clockSkewMs !== null && Math.abs(node.clockSkewMs) > mostSkew && <span class="sub error-text">{skewText(node.clockSkewMs)}</span>}</th>
                <td><Alive node={node} /></td>
                <td><meter min={0} max={Math.max(1, node.workers)} value={node.busy} aria-label={`${node.busy} of ${node.workers} workers busy`} /> {node.busy}/{node.workers}</td>
                <td class="num from-s">{node.memoryBytes === null ? "–" : bytes(node.memoryBytes)}</td><td class="from-s"><Time at={node.startedAt} /></td><td><Time at={node.lastSeenAt} /></td>
                <td class="mono from-m">{node.version}</td>
              </tr>
            ))}</tbody>
          </Table>
        ) : <Waiting error={nodes.error} />}
      </Panel>
      <Panel title="Queues">
        {queues.data ? (queues.data.items.length ? (
          <Table caption="Queues">
            <thead><tr><th scope="col">Queue</th><th scope="col" class="num">Waiting</th><th scope="col" class="num">Scheduled</th><th scope="col" class="num">Running</th><th scope="col" class="num from-s">At most</th><th scope="col">Oldest</th><th scope="col">Action</th></tr></thead>
            <tbody>{queues.data.items.map((queue) => (
              <tr key={queue.name}>
                <th scope="row"><a href={listUrl({ queue: queue.name })}>{queue.name}</a>{queue.paused && <span class="tag">paused</span>}{queue.paused && <span class="sub">{[queue.pauseReason, queue.pausedBy].filter(Boolean).join(", ")}</span>}</th>
                <td class="num">{count(queue.enqueued)}</td><td class="num">{count(queue.scheduled)}</td><td class="num">{count(queue.processing)}</td>
                <td class="num from-s">{queue.maxRunning === null ? "–" : count(queue.maxRunning)}</td><td><Time at={queue.oldestEnqueuedAt} fallback="nothing waits" /></td>
                <td>{queue.paused
                  ? <ActionButton url={`/api/v1/queues/${encodeURIComponent(queue.name)}/resume`} label="Resume" name={queue.name} done={`Queue ${queue.name} goes on`} />
                  : <ActionButton url={`/api/v1/queues/${encodeURIComponent(queue.name)}/pause`} label="Pause" name={queue.name} done={`Queue ${queue.name} is paused`} />}</td>
              </tr>
            ))}</tbody>
          </Table>
        ) : <Empty>No queue has been used.</Empty>) : <Waiting error={queues.error} />}
      </Panel>
      <Panel title="Recurring jobs">
        {recurring.data ? (recurring.data.items.length ? (
          <Table caption="Recurring jobs">
            <thead><tr><th scope="col">Job</th><th scope="col">Schedule</th><th scope="col">Next</th><th scope="col" class="from-s">Last fired</th><th scope="col" class="from-s">Last job</th><th scope="col" class="from-m">Overlap, missed</th></tr></thead>
            <tbody>{recurring.data.items.map((item) => (
              <tr key={item.id}>
                <th scope="row">{item.loader ? <LoaderLink name={item.loader} /> : <>{item.name}<span class="tag">{item.kind}</span></>}{item.paused && <span class="tag">paused</span>}{item.paused && item.pauseReason && <span class="sub">{item.pauseReason}</span>}{item.error && <span class="sub error-text">{item.error}</span>}</th>
                <td class="schedule">{item.schedule ? <ScheduleText schedule={item.schedule} /> : <span class="quiet">of another program</span>}</td><td><Time at={item.paused ? null : item.nextRun} /></td>
                <td class="from-s"><Time at={item.lastFireAt} fallback="never" /></td>
                <td class="from-s">{item.lastJob ? <span class={`state s-${item.lastJob.state}`}><StateIcon state={item.lastJob.state} />{stateWords[item.lastJob.state]} <JobLink id={item.lastJob.id} /></span> : <span class="quiet">–</span>}</td>
                <td class="quiet from-m">{item.overlap}, {item.missed}</td>
              </tr>
            ))}</tbody>
          </Table>
        ) : <Empty>Nothing recurs.</Empty>) : <Waiting error={recurring.error} />}
      </Panel>
    </>
  );
}
