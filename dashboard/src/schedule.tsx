// /jobs/schedule: try a phrase before it goes into a file.
import { useEffect, useRef, useState } from "preact/hooks";
import { dayTime, viewerZone } from "./format.ts";
import { useData } from "./live.ts";
import { Empty, Panel, StateIcon, Time, Waiting } from "./parts.tsx";
import { go, usePlace } from "./route.ts";
import { clockShifts, markedBytes, weekdayOf } from "./schedule-text.ts";
import type { CronAnswer } from "./types.ts";

const examples = [
  "every 2 minutes", "every weekday at 9:30am", "every 15 minutes from 9am to 5pm on weekdays", "every 2 weeks on friday at 5pm",
  "last friday of the month at noon", "every day but the last at 2am", "*/5 8-18 * * MON-FRI",
];

// The zones that the browser knows; any other IANA name may be typed.
const zones: string[] = (Intl as { supportedValuesOf?: (key: string) => string[] }).supportedValuesOf?.("timeZone") ?? [];

function Runs({ answer }: { answer: CronAnswer }) {
  const next = answer.next ?? [];
  const zone = answer.zone ?? "UTC";
  if (next.length === 0) return <Empty>It never runs by itself.</Empty>;
  const shifts = clockShifts(next, zone);
  return (
    <ol class="times" aria-label={`Next runs in ${zone}`}>
      {next.map((time, index) => (
        <li key={time}>
          <span class="at"><span class="weekday">{weekdayOf(time)}</span> <code>{time.slice(0, 10)} {time.slice(11, 19)}</code> <span class="quiet mono">{time.slice(19)}</span></span>
          {shifts[index] && <span class="shift"><StateIcon state="scheduled" />{shifts[index]}</span>}
          <span class="quiet"><Time at={time} />{viewerZone() !== zone && <>, your {dayTime(time)}</>}</span>
        </li>
      ))}
    </ol>
  );
}

function Meaning({ answer }: { answer: CronAnswer }) {
  const every = answer.every;
  return (
    <>
      <p class="answer"><StateIcon state="succeeded" />{answer.english}</p>
      {answer.warnings?.map((warning) => <p class="warning" key={warning}>{warning}</p>)}
      <dl class="facts">
        {answer.crons && answer.crons.length > 0 && (
          <div><dt>Cron</dt><dd class="crons">{answer.crons.map((cron) => <code key={cron}>{cron}</code>)}</dd></div>
        )}
        {every && <div><dt>Interval</dt><dd>{every.n} {every.unit}, counted from <code>{every.anchor}</code></dd></div>}
        <div><dt>Zone</dt><dd>{answer.zone}</dd></div>
        <div><dt>Exact</dt><dd>{answer.exact ? "yes" : "no: the nearest that cron can say"}</dd></div>
      </dl>
      <h3>Next runs</h3>
      <Runs answer={answer} />
    </>
  );
}

function Refused({ answer, use }: { answer: CronAnswer; use: (phrase: string) => void }) {
  const error = answer.error;
  if (!error) return null;
  const [before, marked, after] = markedBytes(answer.phrase, error.offset, error.length);
  const gap = (text: string, other: string) => (text && other && !/\s$/.test(text) && !/^\s/.test(other) && marked === "" ? " " : "");
  const better = error.suggestion && `${before}${gap(before, error.suggestion)}${error.suggestion}${gap(error.suggestion, after)}${after}`;
  return (
    <>
      <p class="answer error-text"><StateIcon state="failed" />{error.message}</p>
      <pre tabIndex={0} aria-label="Where it is">{before}<mark>{marked}</mark>{after}{"\n"}{" ".repeat([...before].length)}{"^".repeat(Math.max(1, [...marked].length))}</pre>
      {better && <p class="suggestion">Write <button type="button" class="pill" onClick={() => use(better)}>{better}</button></p>}
    </>
  );
}

export function SchedulePage() {
  const { query } = usePlace();
  const [phrase, setPhrase] = useState(query.get("phrase") ?? "every weekday at 9:30am");
  const [zone, setZone] = useState(query.get("zone") ?? "");
  const [asked, setAsked] = useState({ phrase, zone });
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      setAsked({ phrase, zone: zone.trim() });
      const wanted = new URLSearchParams({ phrase, ...(zone.trim() ? { zone: zone.trim() } : {}) });
      go(`/jobs/schedule?${wanted}`, true);
    }, 250);
    return () => window.clearTimeout(timer);
  }, [phrase, zone]);
  const wanted = new URLSearchParams({ phrase: asked.phrase, ...(asked.zone ? { zone: asked.zone } : {}), count: "10" });
  const { data, error } = useData<CronAnswer>(asked.phrase.trim() ? `/api/v1/schedule?${wanted}` : null, []);
  const use = (text: string) => {
    setPhrase(text);
    box.current?.focus();
  };
  const wrong = data?.ok === false;
  return (
    <>
      <h1>Try a schedule</h1>
      <Panel title="Phrase">
        <div class="form">
          <label>When<input ref={box} type="text" name="phrase" value={phrase} onInput={(event) => setPhrase(event.currentTarget.value)} spellcheck={false}
            autocomplete="off" autocapitalize="off" aria-invalid={wrong} aria-describedby="meaning" /></label>
          <label>Time zone<input type="text" name="zone" list="zones" value={zone} placeholder="the service’s" onInput={(event) => setZone(event.currentTarget.value)}
            spellcheck={false} autocomplete="off" autocapitalize="off" aria-invalid={error?.status === 400} aria-describedby="meaning" /></label>
          <datalist id="zones">{zones.map((name) => <option value={name} key={name} />)}</datalist>
        </div>
        <p class="examples"><span class="quiet">For example</span>{examples.map((example) => (
          <button type="button" class="pill" key={example} onClick={() => use(example)}>{example}</button>
        ))}</p>
      </Panel>
      <Panel title="What it means" class="meaning">
        <div id="meaning" role="status">
          {asked.phrase.trim() === "" ? <Empty>Write a phrase or a cron expression. In a file, nothing here means never.</Empty>
            : !data ? <Waiting error={error} /> : data.ok ? <Meaning answer={data} /> : <Refused answer={data} use={use} />}
        </div>
      </Panel>
    </>
  );
}
