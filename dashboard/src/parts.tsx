// The small pieces that every page is made of.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { absolute, relative, viewerZone } from "./format.ts";
import type { RequestFailed } from "./live.ts";
import { jobUrl, loaderUrl } from "./route.ts";
import type { ApiError, State } from "./types.ts";

// ---- time -----------------------------------------------------------------------------------------------
const ticks = new Set<(now: number) => void>();
window.setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  ticks.forEach((tick) => tick(now));
}, 1000);

export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    ticks.add(setNow);
    return () => void ticks.delete(setNow);
  }, []);
  return now;
}

export function Time({ at, fallback = "–" }: { at: string | null | undefined; fallback?: string }) {
  const now = useNow();
  if (!at) return <span class="quiet">{fallback}</span>;
  return <time dateTime={at} title={`${absolute(at)} (${viewerZone()})`}>{relative(at, now)}</time>;
}

// ---- states ---------------------------------------------------------------------------------------------
const shapes: Record<State, JSX.Element> = {
  scheduled: <><circle cx="8" cy="8" r="5.500" /><path d="M8 5v3l2 1.500" /></>,
  enqueued: <path d="M3 4.500h10M3 8h10M3 11.500h6" />,
  processing: <path d="M13.500 8a5.500 5.500 0 1 1-2-4.200M13.500 2.500v3h-3" />,
  awaiting: <path d="M5 3h6M5 13h6M5.500 3c0 3 5 4 5 5s-5 2-5 5M10.500 3c0 3-5 4-5 5s5 2 5 5" />,
  held: <path d="M6 3.500v9M10 3.500v9" />,
  succeeded: <path d="M3 8.500l3.500 3.500L13 4.500" />,
  failed: <path d="M4 4l8 8M12 4l-8 8" />,
  deleted: <path d="M3 4.500h10M6.500 4V2.500h3V4M4.500 4.500l.7 9h5.600l.7-9" />,
  skipped: <path d="M3 4l5 4-5 4zM9 4l4.500 4L9 12z" />,
};

export const stateWords: Record<State, string> = {
  scheduled: "Scheduled", enqueued: "Enqueued", processing: "Processing", awaiting: "Awaiting", held: "Held",
  succeeded: "Succeeded", failed: "Failed", deleted: "Deleted", skipped: "Skipped",
};

export function StateIcon({ state, still = false }: { state: State; still?: boolean }) {
  return <svg class={`icon ${state === "processing" && !still ? "turns" : ""}`} viewBox="0 0 16 16" aria-hidden="true">{shapes[state]}</svg>;
}

export function StateBadge({ state, word }: { state: State; word?: string }) {
  return <span class={`state s-${state}`}><StateIcon state={state} />{word ?? stateWords[state]}</span>;
}

// ---- blocks ---------------------------------------------------------------------------------------------
export function Panel({ title, aside, children, class: extra = "" }: {
  title: string; aside?: ComponentChildren; children: ComponentChildren; class?: string;
}) {
  return (
    <section class={`panel ${extra}`}>
      <header class="panel-head"><h2>{title}</h2>{aside && <div class="aside">{aside}</div>}</header>
      {children}
    </section>
  );
}

// A table that scrolls sideways by itself on a narrow screen, and can be scrolled by keyboard.
export function Table({ caption, children, class: extra = "" }: { caption: string; children: ComponentChildren; class?: string }) {
  return (
    <div class="table-scroll" role="group" aria-label={caption} tabIndex={0}>
      <table class={extra}><caption class="hidden">{caption}</caption>{children}</table>
    </div>
  );
}

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;

export function Failure({ error }: { error: RequestFailed | ApiError }) {
  return (
    <div class="failure" role="alert">
      <StateIcon state="failed" />
      <div>
        <p class="failure-text">{error.message}</p>
        {"where" in error && error.where && <p class="quiet mono">{error.where}</p>}
      </div>
    </div>
  );
}

export function Waiting({ error }: { error: RequestFailed | null }) {
  return error ? <Failure error={error} /> : <p class="empty" role="status">Loading…</p>;
}

export const JobLink = ({ id, children }: { id: string; children?: ComponentChildren }) => (
  <a class="mono" href={jobUrl(id)}>{children ?? `#${id}`}</a>
);
export const LoaderLink = ({ name }: { name: string }) => <a href={loaderUrl(name)}>{name}</a>;
