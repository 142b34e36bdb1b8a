// How far a processing job is: a bar where the end is known, figures where it is not.
import { bytes, count, duration } from "./format.ts";
import { useNow } from "./parts.tsx";
import type { Job } from "./types.ts";

export function ProgressLine({ job }: { job: Job }) {
  const now = useNow();
  const progress = job.progress;
  const since = job.startedAt ? duration(Math.max(0, Math.floor((now - Date.parse(job.startedAt)) / 1000) * 1000)) : "";
  if (!progress) return <p class="progress-text">{since}</p>;
  const share = progress.rowsTotal ? progress.rows / progress.rowsTotal : progress.bytesTotal ? progress.bytes / progress.bytesTotal : null;
  const label = `Progress of job ${job.id}`;
  return (
    <>
      {share === null ? <progress aria-label={label} /> : <progress aria-label={label} max={1} value={Math.min(1, share)} />}
      <p class="progress-text">
        <span>{progress.phase}</span>
        <span>{count(progress.rows)}{progress.rowsTotal ? ` of ${count(progress.rowsTotal)}` : ""} rows</span>
        <span>{bytes(progress.bytes)}</span>
        {progress.rowsPerSecond > 0 && <span>{count(Math.round(progress.rowsPerSecond))} rows/s</span>}
        <span>{since}</span>
      </p>
    </>
  );
}
