// The table of jobs, on the list, a loader's page and wherever else jobs are shown.
import type { ComponentChildren } from "preact";
import { count, duration } from "./format.ts";
import { Empty, LoaderLink, StateBadge, Table, Time } from "./parts.tsx";
import { progressWords } from "./progress.tsx";
import type { Job, Receipt } from "./types.ts";

export function Changed({ receipt }: { receipt: Receipt }) {
  if (receipt.notModified) return <span class="quiet">not modified</span>;
  const parts: [string, string, number][] = [
    ["ins", "+", receipt.inserted], ["upd", "~", receipt.updated], ["del", "−", receipt.deleted], ["ins", "↺", receipt.restored], ["rej", "!", receipt.rejected],
  ];
  const words: Record<string, string> = { "+": "inserted", "~": "updated", "−": "deleted", "↺": "restored", "!": "rejected" };
  const shown = parts.filter(([, , value]) => value > 0);
  if (!shown.length) return <span class="quiet">{receipt.applied ? "unchanged" : "–"}</span>;
  return (
    <span class="changed">
      {shown.map(([tone, sign, value]) => <span class={tone} key={sign} title={`${count(value)} ${words[sign]}`}>{sign}{count(value)}<span class="hidden"> {words[sign]}</span></span>)}
      {!receipt.applied && <span class="quiet">not applied</span>}
    </span>
  );
}

export interface Selection { chosen: Set<string>; toggle: (id: string) => void; toggleAll: () => void }

export function JobTable({ jobs, withoutLoader = false, selection, empty = "No jobs here." }: {
  jobs: Job[]; withoutLoader?: boolean; selection?: Selection; empty?: ComponentChildren;
}) {
  if (!jobs.length) return <Empty>{empty}</Empty>;
  const all = selection !== undefined && jobs.every((job) => selection.chosen.has(job.id));
  return (
    <Table caption="Jobs, newest first">
      <thead>
        <tr>
          {selection && <th scope="col" class="pick"><input type="checkbox" aria-label="Choose all jobs shown" checked={all} onChange={selection.toggleAll} /></th>}
          <th scope="col">Job</th><th scope="col">State</th>{!withoutLoader && <th scope="col" class="from-s">What</th>}
          <th scope="col">Rows</th><th scope="col" class="from-s">Created</th><th scope="col" class="num from-s">Took</th>
          <th scope="col" class="num from-m">Attempt</th><th scope="col" class="from-l">Error</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id} data-row-box class={selection?.chosen.has(job.id) ? "chosen" : ""}>
            {selection && <td class="pick"><input type="checkbox" aria-label={`Choose job ${job.id}`} checked={selection.chosen.has(job.id)} onChange={() => selection.toggle(job.id)} /></td>}
            <th scope="row"><a class="mono" href={`/jobs/${job.id}`} data-row>#{job.id}</a>
              {!withoutLoader && <span class="sub only-s">{job.loader ?? job.name}</span>}</th>
            <td><StateBadge state={job.state} {...(job.state === "scheduled" && job.attempt > 0 ? { word: "Retrying" } : {})} /></td>
            {!withoutLoader && <td class="what from-s">{job.loader ? <LoaderLink name={job.loader} /> : job.name}{job.kind !== "load" && <span class="tag">{job.kind}</span>}</td>}
            <td>{job.receipt ? <Changed receipt={job.receipt} /> : job.progress ? <span class="quiet">{progressWords(job.progress)}</span> : <span class="quiet">–</span>}</td>
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
