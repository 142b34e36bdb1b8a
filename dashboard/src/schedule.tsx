// /jobs/schedule: try a phrase before it goes into a file.
import { useEffect, useState } from "preact/hooks";
import { absolute } from "./format.ts";
import { useData } from "./live.ts";
import { Empty, Panel, StateBadge, Time, Waiting } from "./parts.tsx";
import { go, usePlace } from "./route.ts";
import type { CronAnswer } from "./types.ts";

const examples = ["every 2 minutes", "every weekday at 9:30am", "every day at 2am", "every hour between 8am and 6pm", "last day of month at noon"];

export function SchedulePage() {
  const { query } = usePlace();
  const [phrase, setPhrase] = useState(query.get("phrase") ?? "every weekday at 9:30am");
  const [zone, setZone] = useState(query.get("zone") ?? "");
  const [asked, setAsked] = useState({ phrase, zone });
  useEffect(() => {
    const timer = window.setTimeout(() => {
      setAsked({ phrase, zone });
      const wanted = new URLSearchParams({ phrase, ...(zone ? { zone } : {}) });
      go(`/jobs/schedule?${wanted}`, true);
    }, 250);
    return () => window.clearTimeout(timer);
  }, [phrase, zone]);
  const url = asked.phrase.trim() ? `/api/v1/schedule?${new URLSearchParams({ phrase: asked.phrase, ...(asked.zone ? { zone: asked.zone } : {}), count: "8" })}` : null;
  const { data, error } = useData<CronAnswer>(url, []);
  return (
    <>
      <h1>Try a schedule</h1>
      <Panel title="Phrase">
        <div class="form">
          <label>When<input type="text" value={phrase} onInput={(event) => setPhrase(event.currentTarget.value)} spellcheck={false} autocomplete="off" /></label>
          <label>Time zone<input type="text" value={zone} placeholder="the service's" onInput={(event) => setZone(event.currentTarget.value)} spellcheck={false} /></label>
        </div>
        <p class="examples"><span class="quiet">For example</span>{examples.map((example) => (
          <button type="button" class="pill" key={example} onClick={() => setPhrase(example)}>{example}</button>
        ))}</p>
      </Panel>
      <Panel title="What it means">
        {url === null ? <Empty>Write a phrase, or a cron expression.</Empty> : !data ? <Waiting error={error} /> : data.ok ? (
          <>
            <p class="answer"><StateBadge state="succeeded" word={data.english ?? ""} /></p>
            <dl class="facts">
              <div><dt>Cron</dt><dd>{data.crons?.length ? data.crons.map((cron) => <code key={cron}>{cron} </code>) : "a true interval"}</dd></div>
              <div><dt>Zone</dt><dd>{data.zone}</dd></div>
            </dl>
            {data.warnings?.map((warning) => <p class="warning" key={warning}>{warning}</p>)}
            <ol class="times">{data.next?.map((time) => <li key={time}><code>{time}</code> <span class="quiet"><Time at={time} />, {absolute(time)}</span></li>)}</ol>
          </>
        ) : data.error && (
          <>
            <p class="answer"><StateBadge state="failed" word={data.error.message} /></p>
            <pre tabIndex={0}>{data.phrase}{"\n"}{" ".repeat(data.error.offset)}{"^".repeat(Math.max(1, data.error.length))}</pre>
            {data.error.suggestion && <p>{data.error.suggestion}</p>}
          </>
        )}
      </Panel>
    </>
  );
}
