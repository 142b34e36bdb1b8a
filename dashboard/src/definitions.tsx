// /jobs/definitions: every file, and what is wrong with it, where.
import { useData } from "./live.ts";
import { Empty, Panel, StateBadge, StateIcon, Table, Time, Waiting } from "./parts.tsx";
import { loaderUrl, usePlace } from "./route.ts";
import type { Definition, DefinitionProblem, List } from "./types.ts";

function Problem({ file, problem }: { file: string; problem: DefinitionProblem }) {
  const state = problem.severity === "error" ? "failed" : "held";
  const caret = problem.caret !== null && problem.excerpt !== null ? " ".repeat(Math.max(0, problem.caret - 1)) + "^" : null;
  return (
    <li class={`problem ${problem.severity}`}>
      <p><span class={`state s-${state}`}><StateIcon state={state} />{problem.severity}</span>
        <code class="place">{file}{problem.line !== null && `:${problem.line}`}{problem.column !== null && `:${problem.column}`}</code></p>
      <p class="problem-text">{problem.message}{problem.suggestion && <> <span class="suggestion">{problem.suggestion}</span></>}</p>
      {problem.excerpt !== null && <pre tabIndex={0}><span class="line-number">{problem.line}</span> {problem.excerpt}{caret && `\n${" ".repeat(String(problem.line).length)} ${caret}`}</pre>}
    </li>
  );
}

export function DefinitionsPage() {
  const { query } = usePlace();
  const after = query.get("after");
  const loaded = useData<List<Definition>>(`/api/v1/definitions?limit=100${after ? `&after=${encodeURIComponent(after)}` : ""}`, ["definitions"]);
  const files = loaded.data?.items;
  const troubled = files?.filter((file) => file.errors.length > 0) ?? [];
  const next = loaded.data?.next ? new URL(loaded.data.next, location.origin).searchParams.get("after") : null;
  return (
    <>
      <div class="page-head"><h1>Definitions</h1>
        <a class="quiet" href="/schema/loader.json" target="_blank" rel="noopener">JSON Schema for editors</a></div>
      {!files ? <Waiting error={loaded.error} /> : (
        <>
          {troubled.map((file) => (
            <Panel key={file.file} title={file.file} class={file.valid ? "" : "alerting"}
              aside={file.usingStored ? <span class="state s-held"><StateIcon state="held" />runs as last stored</span> : file.valid ? undefined : <span class="state s-failed"><StateIcon state="failed" />not running</span>}>
              <ul class="problems">{file.errors.map((problem, index) => <Problem key={index} file={file.file} problem={problem} />)}</ul>
            </Panel>
          ))}
          <Panel title={after || next ? "Files, broken ones first" : "All files"} aside={!after && !next && <span class="quiet">{files.length}</span>}>
            {files.length ? (
              <Table caption="Definition files">
                <thead><tr><th scope="col">File</th><th scope="col">State</th><th scope="col" class="from-s">Kind</th><th scope="col">Name</th><th scope="col" class="from-m">Accepted</th><th scope="col" class="from-m">Hash</th></tr></thead>
                <tbody>{files.map((file) => (
                  <tr key={file.file} data-row-box>
                    <th scope="row" class="mono wrap">{file.file}</th>
                    <td>{file.valid ? <StateBadge state="succeeded" word={file.errors.length ? "Valid, with warnings" : "Valid"} /> : <StateBadge state="failed" word={file.usingStored ? "Broken, stored one runs" : "Broken"} />}</td>
                    <td class="from-s">{file.kind}</td>
                    <td>{file.name && file.kind === "loader" && (file.valid || file.usingStored) ? <a href={loaderUrl(file.name)} data-row>{file.name}</a> : file.name ?? <span class="quiet">–</span>}</td>
                    <td class="from-m"><Time at={file.acceptedAt} /></td>
                    <td class="mono quiet from-m">{file.hash?.slice(0, 12) ?? "–"}</td>
                  </tr>
                ))}</tbody>
              </Table>
            ) : <Empty>The definitions folder is empty. Drop a <code>Name.loader.yaml</code> into it.</Empty>}
            {(after || next) && (
              <nav class="pager" aria-label="Pages">
                {after ? <a href="/jobs/definitions">← First</a> : <span />}
                {next ? <a href={`/jobs/definitions?after=${encodeURIComponent(next)}`} rel="next">Next →</a> : <span class="quiet">the last</span>}
              </nav>
            )}
          </Panel>
        </>
      )}
    </>
  );
}
