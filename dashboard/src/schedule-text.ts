// What the phrase tester reads off the answers: places in bytes, days of the week, changes of the clocks.

// The text before, at and behind so many UTF-8 bytes.
export function markedBytes(text: string, offset: number, length: number): [string, string, string] {
  const bytes = new TextEncoder().encode(text);
  const read = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  return [read(0, offset), read(offset, offset + length), read(offset + length, bytes.length)];
}

// "Mon" of "2026-01-05T09:30:00+01:00": the day there, not here.
export function weekdayOf(time: string): string {
  const names = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  return names[new Date(`${time.slice(0, 10)}T00:00:00Z`).getUTCDay()] ?? "";
}

// Minutes east of UTC, as the time ends.
function offsetOf(time: string): number | null {
  const found = /([+-])(\d\d):(\d\d)(?::\d\d)?$/.exec(time);
  return found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) : null;
}

// Minutes east of UTC now; null for zones that the browser does not know.
function offsetNow(zone: string, now: Date): number | null {
  try {
    const name = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(now).find((part) => part.type === "timeZoneName")?.value ?? "";
    return name === "GMT" ? 0 : offsetOf(name.replace("GMT", ""));
  } catch {
    return null;
  }
}

// Of each run, what the clocks do between the one before (or now) and it; "" for nothing.
export function clockShifts(times: string[], zone: string, now = new Date()): string[] {
  let before = offsetNow(zone, now);
  return times.map((time) => {
    const offset = offsetOf(time);
    const shift = before === null || offset === null ? 0 : offset - before;
    before = offset;
    if (shift === 0) return "";
    const size = Math.abs(shift);
    return `clocks go ${shift > 0 ? "forward" : "back"} ${Math.floor(size / 60)}:${String(size % 60).padStart(2, "0")}`;
  });
}
