// Where the page is: the path below /jobs and the query. Links are plain <a href>; clicks stay in the page.
import { useEffect, useState } from "preact/hooks";

export interface Place { path: string; parts: string[]; query: URLSearchParams }

function here(): Place {
  const parts = location.pathname.split("/").filter(Boolean).slice(1).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { path: location.pathname, parts, query: new URLSearchParams(location.search) };
}

const watchers = new Set<() => void>();

export function go(url: string, replace = false) {
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  watchers.forEach((watch) => watch());
  if (!replace) {
    window.scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const watch = () => setPlace(here());
    const click = (event: MouseEvent) => {
      if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      const link = (event.target as Element | null)?.closest?.("a[href]") as HTMLAnchorElement | null;
      if (!link || link.origin !== location.origin || !/^\/jobs(\/|$)/.test(link.pathname) || link.hash || link.target) return;
      event.preventDefault();
      go(link.pathname + link.search);
    };
    watchers.add(watch);
    window.addEventListener("popstate", watch);
    document.addEventListener("click", click);
    return () => {
      watchers.delete(watch);
      window.removeEventListener("popstate", watch);
      document.removeEventListener("click", click);
    };
  }, []);
  return place;
}

export const loaderUrl = (name: string) => `/jobs/loaders/${encodeURIComponent(name)}`;
export const jobUrl = (id: string) => `/jobs/${encodeURIComponent(id)}`;
export const listUrl = (filter: Record<string, string>) => `/jobs/list?${new URLSearchParams(filter)}`;
