// How far a processing job is: a bar where the end is known, figures where it is not.
import { bytes, count, duration } from "./format.ts";
import { useNow } from "./parts.tsx";
import type { Job, Progress } from "./types.ts";

const phases: Record<string, string> = { fetch: "Fetching", compare: "Reading and comparing", apply: "Writing" };

const rowsOf = (progress: Progress) => `${count(progress.rows)}${progress.rowsTotal ? ` of ${count(progress.rowsTotal)}` : ""} rows`;
const bytesOf = (progress: Progress) => `${bytes(progress.bytes)}${progress.bytesTotal ? ` of ${bytes(progress.bytesTotal)}` : ""}`;

// For a cell of a table.
export const progressWords = (progress: Progress) =>
  progress.rows > 0 || progress.phase !== "fetch" ? rowsOf(progress) : `${bytesOf(progress)} fetched`;

function share(progress: Progress): number | null {
  if (progress.rowsTotal) return progress.rows / progress.rowsTotal;
  return progress.bytesTotal ? progress.bytes / progress.bytesTotal : null;
}

// Seconds to the end of this phase, at the rate of the last seconds; nothing while that is guesswork.
function secondsLeft(progress: Progress): number | null {
  const [total, done, rate] = progress.rowsTotal
    ? [progress.rowsTotal, progress.rows, progress.rowsPerSecond]
    : [progress.bytesTotal ?? 0, progress.bytes, progress.bytesPerSecond];
  return total > done && rate > 0 ? (total - done) / rate : null;
}

export function ProgressLine({ job }: { job: Job }) {
  const now = useNow();
  const progress = job.progress;
  const since = job.startedAt ? duration(Math.max(0, Math.floor((now - Date.parse(job.startedAt)) / 1000) * 1000)) : "";
  if (!progress) return <p class="progress-text"><span>Starting</span><span>{since}</span></p>;
  const part = share(progress);
  const left = secondsLeft(progress);
  const label = `Progress of job ${job.id}`;
  return (
    <>
      {part === null ? <progress aria-label={label} /> : <progress aria-label={label} max={1} value={Math.min(1, part)} />}
      <p class="progress-text">
        <span>{phases[progress.phase] ?? progress.phase}</span>
        {progress.phase !== "fetch" && <span>{rowsOf(progress)}</span>}
        {(progress.bytes > 0 || progress.phase === "fetch") && <span>{bytesOf(progress)}</span>}
        {progress.rowsPerSecond > 0 && <span>{count(progress.rowsPerSecond)} rows/s</span>}
        {progress.phase === "fetch" && progress.bytesPerSecond > 0 && <span>{bytes(progress.bytesPerSecond)}/s</span>}
        {left !== null && left >= 2 && <span>about {duration(Math.round(left) * 1000)} left in this step</span>}
        <span>{since}</span>
      </p>
    </>
  );
}
