// A loader's last runs as bars: colour and mark = how it ended, height = how long it took. Each bar is a link.
import { count, duration, dayTime } from "./format.ts";
import { jobUrl } from "./route.ts";
import type { ReceiptBar } from "./types.ts";
import { stateWords } from "./parts.tsx";

function changed(bar: ReceiptBar): number {
  return bar.inserted + bar.updated + bar.deleted + bar.restored;
}

function outcome(bar: ReceiptBar): string {
  if (bar.state !== "succeeded") return stateWords[bar.state];
  if (bar.notModified) return "not modified";
  const parts = [
    bar.inserted && `+${count(bar.inserted)} inserted`, bar.updated && `~${count(bar.updated)} updated`,
    bar.deleted && `−${count(bar.deleted)} deleted`, bar.restored && `${count(bar.restored)} restored`,
  ].filter(Boolean);
  return parts.length ? parts.join(", ") : "unchanged";
}

export function Bars({ receipts, slots = 30, tall = false }: { receipts: ReceiptBar[]; slots?: number; tall?: boolean }) {
  const shown = receipts.slice(-slots);
  const longest = Math.max(1, ...shown.map((bar) => bar.durationMs));
  const failed = shown.filter((bar) => bar.state === "failed").length;
  if (!shown.length) return <span class="quiet">no runs yet</span>;
  const height = tall ? 56 : 22;
  return (
    <svg class={`bars ${tall ? "tall" : ""}`} viewBox={`0 0 ${slots * 5} ${height}`} role="group" preserveAspectRatio={tall ? "none" : "xMaxYMid meet"}
      aria-label={`Last ${shown.length} runs, ${failed ? `${failed} failed` : "none failed"}`}>
      {shown.map((bar, index) => {
        // Square root: a first load of minutes must not flatten the milliseconds after it.
        const size = Math.max(4, Math.round(Math.sqrt(bar.durationMs / longest) * height));
        const quiet = bar.state === "succeeded" && changed(bar) === 0;
        const text = `Job ${bar.job}: ${outcome(bar)}, ${duration(bar.durationMs)}, ${dayTime(bar.finishedAt)}`;
        const x = (slots - shown.length + index) * 5;
        return (
          <a href={jobUrl(bar.job)} key={bar.job} aria-label={text} tabIndex={index === shown.length - 1 ? 0 : -1}>
            <title>{text}</title>
            <rect class="bar-hit" x={x} y={0} width={5} height={height} />
            <rect class={`bar b-${bar.state} ${quiet ? "quiet-run" : ""}`} x={x + 0.5} y={height - size} width={4} height={size} rx={1.2} />
            {bar.state === "failed" && <path class="bar-mark" d={`M${x + 1.3} ${height - 4.5}l2.400 2.400m0-2.400l-2.400 2.400`} />}
          </a>
        );
      })}
    </svg>
  );
}
