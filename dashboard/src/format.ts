// Numbers, durations and times as a reader wants them.
const whole = new Intl.NumberFormat("en");

export const count = (value: number) => whole.format(value);

export function shortCount(value: number): string {
  if (value < 10000) return whole.format(value);
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e5 ? 1 : 0)} k`;
  return `${(value / 1e6).toFixed(value < 1e8 ? 1 : 0)} M`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let unit = -1;
  let size = value;
  do {
    size /= 1024;
    ++unit;
  } while (size >= 1024 && unit < 3);
  return `${size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min${seconds % 60 >= 1 ? ` ${Math.floor(seconds % 60)} s` : ""}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// "in 3 min", "12 s ago"; whole units, coarse enough not to flicker.
export function relative(time: string, now: number): string {
  const ms = Date.parse(time) - now;
  const size = Math.abs(ms);
  if (size < 1000) return "now";
  const steps: [number, string][] = [[86400e3, "d"], [3600e3, "h"], [60e3, "min"], [1e3, "s"]];
  const [unit, word] = steps.find(([step]) => size >= step)!;
  const amount = size >= 2 * 86400e3 || unit < 86400e3 ? Math.floor(size / unit) : 1;
  return ms > 0 ? `in ${amount} ${word}` : `${amount} ${word} ago`;
}

const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit" });

export const absolute = (time: string) => full.format(new Date(time));
export const clockTime = (time: string) => clock.format(new Date(time));
export function dayTime(time: string): string { return dayAndClock.format(new Date(time)); }
export const viewerZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
