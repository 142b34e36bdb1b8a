// What a run left behind: changed rows, rejected records, log lines.
import { useEffect, useRef, useState } from "preact/hooks";
import { clockTime, count } from "./format.ts";
import { getJson, useData } from "./live.ts";
import { Empty, Table, Waiting } from "./parts.tsx";
import type { Change, JobDetail, List, LogLine, Reject, Value } from "./types.ts";

const final = new Set(["succeeded", "failed", "deleted", "skipped", "held"]);

const show = (value: Value) => value === null
  ? <span class="null">null</span>
  : <span class="value">{value === "" ? <span class="null">empty</span> : String(value)}</span>;

const opLooks = {
  insert: ["ins", "+", "Insert"], update: ["upd", "~", "Update"], delete: ["del", "−", "Delete"], restore: ["ins", "↺", "Restore"], load: ["ins", "+", "First load"],
} as const;

export function ChangeTable({ changes }: { changes: Change[] }) {
  const [first] = changes;
  if (changes.length === 1 && first?.op === "load") {
    const rows = Number(first.columns.find((column) => column.name === "rows")?.after ?? 0);
    return <Empty>A first load: {count(rows)} {rows === 1 ? "row went" : "rows went"} into an empty table, and {rows === 1 ? "is" : "are"} not listed one by one.</Empty>;
  }
  return (
    <Table caption="Changed rows, before and after" class="changes">
      <thead><tr><th scope="col">Change</th><th scope="col">Key</th><th scope="col">Column</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
      <tbody>
        {changes.map((change, index) => {
          const [tone, sign, word] = opLooks[change.op] ?? ["upd", "?", String(change.op)];
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

export function RejectTable({ rejects }: { rejects: Reject[] }) {
  return (
    <ol class="rejects">
      {rejects.map((reject, index) => (
        <li key={index}>
          <p class="reject-head"><strong>{reject.message}</strong></p>
          <p class="quiet small"><span class="mono">{reject.source}{reject.source && reject.locator ? ", " : ""}{reject.locator}</span>
            {reject.column && <> · column <span class="mono">{reject.column}</span></>} · {reject.code}
            {reject.count > 1 && <> · seen by {count(reject.count)} runs</>}</p>
          {reject.raw !== null && <pre tabIndex={0} aria-label="The record as it came">{reject.raw}{reject.rawCut && <span class="quiet"> … cut</span>}</pre>}
        </li>
      ))}
    </ol>
  );
}

// Follows the last line while the job runs, unless the reader has scrolled up.
export function Log({ lines, running }: { lines: LogLine[]; running: boolean }) {
  const list = useRef<HTMLOListElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    if (running && follows.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [lines, running]);
  const attempts = new Set(lines.map((line) => line.attempt)).size > 1;
  return (
    <ol class={`log ${attempts ? "with-attempt" : ""}`} aria-label="Log lines" tabIndex={0} ref={list}
      onScroll={(event) => void (follows.current = event.currentTarget.scrollHeight - event.currentTarget.scrollTop - event.currentTarget.clientHeight < 24)}>
      {lines.map((line, index) => (
        <li key={index} class={`log-${line.level}`}><time dateTime={line.at} title={line.at}>{clockTime(line.at)}</time>
          <span class="level">{line.level}</span>{attempts && <span class="quiet" title={`attempt ${line.attempt}`}>#{line.attempt}</span>}<span>{line.message}</span></li>
      ))}
    </ol>
  );
}

// A list below the job with "more": shown pages stay, the first one is live.
export function Pages<T>({ url, job, empty, render }: {
  url: string; job: JobDetail; empty: string; render: (items: T[]) => preact.ComponentChildren;
}) {
  const first = useData<List<T>>(url, ["jobs"], job.id);
  const [more, setMore] = useState<{ items: T[]; next: string | null } | null>(null);
  const [failed, setFailed] = useState("");
  useEffect(() => setMore(null), [url]);
  if (!first.data) return <Waiting error={first.error} />;
  const items = [...first.data.items, ...(more?.items ?? [])];
  const next = more ? more.next : first.data.next;
  if (!items.length) return <Empty>{final.has(job.state) ? empty : "Nothing yet."}</Empty>;
  const load = async () => {
    if (!next) return;
    try {
      const page = await getJson<List<T>>(next);
      setFailed("");
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return <>{render(items)}{next && <p class="more-place">{failed && <span class="error-text">{failed} </span>}<button type="button" onClick={() => void load()}>More</button></p>}</>;
}
