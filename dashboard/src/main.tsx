// The frame of the page: skip link, navigation, the page that the address names.
import { Component, render, type ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Note } from "./actions.tsx";
import { Banner } from "./banner.tsx";
import { DefinitionsPage } from "./definitions.tsx";
import { JobPage } from "./job.tsx";
import { JobsPage } from "./jobs.tsx";
import { Keys } from "./keys.tsx";
import { startLive, useConnection, useData } from "./live.ts";
import { LoaderPage } from "./loader.tsx";
import { LoadersPage } from "./loaders.tsx";
import { NodesPage } from "./nodes.tsx";
import { OverviewPage } from "./overview.tsx";
import { Empty, Failure } from "./parts.tsx";
import { usePlace, type Place } from "./route.ts";
import { SchedulePage } from "./schedule.tsx";
import { ThemeButton } from "./theme.tsx";
import type { Definition, List } from "./types.ts";
import "./style.css";

const links = [
  { url: "/jobs", word: "Overview", part: undefined },
  { url: "/jobs/list", word: "Jobs", part: "list" },
  { url: "/jobs/loaders", word: "Loaders", part: "loaders" },
  { url: "/jobs/definitions", word: "Definitions", part: "definitions" },
  { url: "/jobs/nodes", word: "Nodes", part: "nodes" },
  { url: "/jobs/schedule", word: "Try a schedule", part: "schedule" },
];

function pageOf(place: Place): { title: string; page: preact.JSX.Element } {
  const [first, second] = place.parts;
  if (first === undefined) return { title: "Overview", page: <OverviewPage /> };
  if (/^\d+$/.test(first)) return { title: `Job ${first}`, page: <JobPage id={first} key={first} /> };
  if (first === "list") return { title: "Jobs", page: <JobsPage /> };
  if (first === "loaders" && second !== undefined) return { title: second, page: <LoaderPage name={second} key={second} /> };
  if (first === "loaders") return { title: "Loaders", page: <LoadersPage /> };
  if (first === "definitions") return { title: "Definitions", page: <DefinitionsPage /> };
  if (first === "nodes") return { title: "Nodes", page: <NodesPage /> };
  if (first === "schedule") return { title: "Try a schedule", page: <SchedulePage /> };
  return { title: "Not found", page: <><h1>Nothing here</h1><Empty>There is no page at {place.path}. <a href="/jobs">To the overview</a></Empty></> };
}

function Live() {
  const state = useConnection();
  const words = { live: "Live", polling: "Polling", paused: "Paused", lost: "No answer" };
  const titles = {
    live: "Changes appear as they happen", polling: "Asking every 5 seconds", paused: "Waits while the tab is hidden",
    lost: "The service does not answer; trying again",
  };
  return <span class={`live live-${state}`} role="status" title={titles[state]}><i aria-hidden="true" />{words[state]}</span>;
}

// One broken part must not blank the page.
class Safe extends Component<{ children: ComponentChildren; place: string }, { error: Error | null }> {
  override state = { error: null as Error | null };
  override componentDidCatch(error: Error) { this.setState({ error }); }
  override componentDidUpdate(before: { place: string }) {
    if (before.place !== this.props.place && this.state.error) this.setState({ error: null });
  }
  override render() {
    return this.state.error
      ? <><h1>This page could not be drawn</h1><Failure error={{ code: "page", message: this.state.error.message }} /></>
      : this.props.children;
  }
}

function App() {
  const place = usePlace();
  const { title, page } = pageOf(place);
  const definitions = useData<List<Definition>>("/api/v1/definitions?limit=100", ["definitions"]);
  const broken = definitions.data?.items.filter((file) => !file.valid).length ?? 0;
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  const [first] = place.parts;
  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <header class="top">
        <a class="brand" href="/jobs" aria-label="Sluice, overview">
          <svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7" /><path class="posts" d="M8 7v18M24 7v18" /><path class="waves" d="M11.500 12.500c1.500-1.500 3-1.500 4.500 0s3 1.500 4.500 0M11.500 19.500c1.500-1.500 3-1.500 4.500 0s3 1.500 4.500 0" /></svg>
          <span>Sluice</span>
        </a>
        <nav class="main-nav" aria-label="Pages">
          {links.map((link) => {
            const current = link.part === first || (link.part === "list" && first !== undefined && /^\d+$/.test(first));
            return <a key={link.url} href={link.url} aria-current={current ? "page" : undefined}>{link.word}
              {link.part === "definitions" && broken > 0 && <span class="badge bad" aria-label={`${broken} broken`}>{broken >= 100 ? "99+" : broken}</span>}</a>;
          })}
        </nav>
        <div class="top-end"><Live /><ThemeButton /><Keys /></div>
      </header>
      <Banner />
      <main id="main" tabIndex={-1}><Safe place={place.path}>{page}</Safe></main>
      <Note />
    </>
  );
}

startLive();
render(<App />, document.getElementById("app")!);
