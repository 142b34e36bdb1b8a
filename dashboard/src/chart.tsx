// Jobs finished and rows changed over time. uPlot draws; a table twin says the same in words.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clockTime, count, dayTime, shortCount } from "./format.ts";
import type { Bucket } from "./types.ts";
import { useTheme } from "./theme.tsx";

interface Series { at: number[]; succeeded: number[]; all: number[]; rows: number[] }

// Fills the buckets that had no jobs, so that silence is drawn as silence.
export function fill(buckets: Bucket[], bucketSeconds: number, end: number, length: number): Series {
  const by = new Map(buckets.map((bucket) => [Math.floor(Date.parse(bucket.at) / 1000 / bucketSeconds), bucket]));
  const last = Math.floor(end / 1000 / bucketSeconds);
  const series: Series = { at: [], succeeded: [], all: [], rows: [] };
  for (let slot = last - length + 1; slot <= last; ++slot) {
    const bucket = by.get(slot);
    series.at.push(slot * bucketSeconds);
    series.succeeded.push(bucket?.succeeded ?? 0);
    series.all.push((bucket?.succeeded ?? 0) + (bucket?.failed ?? 0));
    series.rows.push(bucket?.rows ?? 0);
  }
  return series;
}

const kHeight = 190;
const lengths: Record<number, number> = { 60: 60, 900: 96, 7200: 84 };

export function Throughput({ buckets, bucketSeconds, now }: { buckets: Bucket[]; bucketSeconds: number; now: string }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const theme = useTheme();
  const series = fill(buckets, bucketSeconds, Date.parse(now), lengths[bucketSeconds] ?? 60);

  useEffect(() => {
    const host = place.current;
    if (!host) return;
    // A canvas takes colours, not variables: let the browser resolve each on an element.
    const color = (name: string) => {
      host.style.color = `var(${name})`;
      return getComputedStyle(host).color;
    };
    const axis = { stroke: color("--quiet-ink"), grid: { stroke: color("--hair"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const bars = uPlot.paths.bars!({ size: [0.72, 24], radius: 0.15 });
    const narrow = host.clientWidth < 420;
    plot.current = new uPlot({
      width: host.clientWidth, height: kHeight, legend: { show: false },
      padding: [10, narrow ? 4 : 0, 0, 0],
      cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
      scales: {
        x: { time: true },
        y: { range: (_plot, _min, max) => [0, Math.max(4, max * 1.15)] },
        rows: { range: (_plot, _min, max) => [0, Math.max(10, max * 1.25)] },
      },
      axes: [
        { ...axis, size: 26, grid: { show: false }, values: (_plot, ticks) => ticks.map((tick) => bucketSeconds >= 7200 ? dayTime(new Date(tick * 1000).toISOString()).slice(0, 6) : clockTime(new Date(tick * 1000).toISOString()).slice(0, 5)) },
        { ...axis, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 1e5], values: (_plot, ticks) => ticks.map((tick) => shortCount(tick)) },
        { ...axis, scale: "rows", side: 1, size: narrow ? 0 : 44, show: !narrow, grid: { show: false }, values: (_plot, ticks) => ticks.map((tick) => shortCount(tick)) },
      ],
      series: [
        {},
        { label: "failed", stroke: color("--failed"), fill: color("--failed"), width: 0, paths: bars, points: { show: false } },
        { label: "succeeded", stroke: color("--bar-ok"), fill: color("--bar-ok"), width: 0, paths: bars, points: { show: false } },
        { label: "rows", scale: "rows", stroke: color("--accent"), width: 1.5, points: { show: false } },
      ],
      hooks: { setCursor: [(self) => setHover(self.cursor.idx ?? null)] },
    }, [series.at, series.all, series.succeeded, series.rows], host);
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: host.clientWidth, height: kHeight }));
    watch.observe(host);
    return () => {
      watch.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [theme, bucketSeconds]);

  useEffect(() => {
    plot.current?.setData([series.at, series.all, series.succeeded, series.rows]);
  }, [buckets, now]);

  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const at = hover === null ? null : series.at[hover];
  const succeeded = hover === null ? sum(series.succeeded) : series.succeeded[hover] ?? 0;
  const failed = (hover === null ? sum(series.all) : series.all[hover] ?? 0) - succeeded;
  const rows = hover === null ? sum(series.rows) : series.rows[hover] ?? 0;
  const busy = series.at.map((time, index) => ({ time, index })).filter(({ index }) => series.all[index]! > 0).reverse();
  return (
    <>
      <p class="legend">
        <span><i class="key k-ok" />{count(succeeded)} succeeded</span>
        <span><i class="key k-bad" />{count(failed)} failed</span>
        <span><i class="key k-rows" />{count(rows)} rows changed</span>
        <span class="quiet">{at == null ? "in this window" : `at ${dayTime(new Date(at * 1000).toISOString())}`}</span>
      </p>
      <div class="chart" ref={place} aria-hidden="true" />
      <details class="twin">
        <summary>As a table</summary>
        <div class="table-scroll short" role="group" aria-label="Throughput" tabIndex={0}>
          <table>
            <caption class="hidden">Jobs finished and rows changed, newest first</caption>
            <thead><tr><th scope="col">From</th><th scope="col" class="num">Succeeded</th><th scope="col" class="num">Failed</th><th scope="col" class="num">Rows</th></tr></thead>
            <tbody>
              {busy.map(({ time, index }) => (
                <tr key={time}>
                  <th scope="row">{dayTime(new Date(time * 1000).toISOString())}</th>
                  <td class="num">{count(series.succeeded[index]!)}</td>
                  <td class="num">{count(series.all[index]! - series.succeeded[index]!)}</td>
                  <td class="num">{count(series.rows[index]!)}</td>
                </tr>
              ))}
              {!busy.length && <tr><td colSpan={4}>Nothing finished in this window.</td></tr>}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}
